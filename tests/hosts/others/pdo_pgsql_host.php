<?php
// PHP's PDO over PostgreSQL, with the server's prepared statements and with those that PDO imitates.
ini_set('display_errors', 'stderr');
$passed = $failed = 0;
function check(string $what, bool $right): void {
    global $passed, $failed;
    $right ? $passed++ : $failed++;
    if (!$right) echo "failed: $what\n";
}
$db = new PDO("pgsql:host=$argv[1];dbname=hosts", 'postgres');
$db->exec('SET search_path = evercore, public');
foreach ([false, true] as $imitated) {
    $db->setAttribute(PDO::ATTR_EMULATE_PREPARES, $imitated);
    $value = function (string $sql, ...$values) use ($db) {
        $statement = $db->prepare($sql);
        $statement->execute($values);
        return $statement->columnCount() ? $statement->fetchColumn() : $statement->rowCount();
    };
    $id = $value('SELECT evercore_ensure(?, ?)', 'PHP', (int) $imitated);
    check('query appends once', $value('SELECT evercore_append(?, ?, ?, ?)', $id, 0, 'Created', '{"name":"Ann"}') == 1);
    check('an INSERT appends', $value('INSERT INTO evercore_append (aggregate_id, expected, event_type, data) VALUES (?, ?, ?, ?)', $id, 1, 'Named', '{}') == 1);
    check('the state is JSON', $value('SELECT evercore_state(?)', $id) === '{"name": "Ann"}');
    try {
        $value('SELECT evercore_append(?, ?, ?, ?)', $id, 1, 'Named', '{}');
        check('a conflict has its SQLSTATE', false);
    } catch (PDOException $e) {
        check('a conflict has its SQLSTATE', $e->getCode() === 'EV001');
    }
    $db->beginTransaction();
    $value('SELECT evercore_append(?, ?, ?, ?)', $id, null, 'Named', '{}');
    $db->rollBack();
    check('a rollback takes it back', $value('SELECT evercore_sequence(?)', $id) == 2);
}
echo "$passed passed, $failed failed\n";
exit($failed ? 1 : 0);
