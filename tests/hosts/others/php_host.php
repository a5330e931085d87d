<?php
// PHP's SQLite3: loadExtension() looks in sqlite3.extension_dir alone, and query() with fetchArray() runs a SELECT twice.
// PDO loads nothing.
ini_set('display_errors', 'stderr');
$passed = $failed = 0;
function check(string $what, bool $right): void {
    global $passed, $failed;
    $right ? $passed++ : $failed++;
    if (!$right) echo "failed: $what\n";
}
$db = new SQLite3(':memory:');
$db->enableExceptions(true);
$db->loadExtension(basename($argv[1]));
$db->querySingle('SELECT evercore_migrate()');
$insert = $db->prepare('INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES (?, ?, ?, ?)');
foreach (['User', 'ann', 'Created', '{"name":"Ann"}'] as $i => $value) $insert->bindValue($i + 1, $value);
$insert->execute();
$count = fn() => $db->querySingle('SELECT count(*) FROM evercore_log');
check('an INSERT appends once', $count() === 1);
check('querySingle appends once and gives the sequence',
    $db->querySingle("SELECT evercore_append(1, 1, 'Named', '{\"name\":\"Anna\"}')") === 2 && $count() === 2);
$db->exec("SELECT evercore_append(1, 2, 'Named', '{}')");
check('exec appends once', $count() === 3);
check('the state is JSON', $db->querySingle('SELECT evercore_state(1)') === '{"name":"Anna"}');
try {
    $db->exec("SELECT evercore_append(1, 2, 'Named', '{}')");
    check('a conflict is an exception', false);
} catch (Exception $e) {
    check('a conflict is an exception', str_contains($e->getMessage(), 'EV001: ') && $db->lastExtendedErrorCode() === 1043);
}
$db->exec('BEGIN IMMEDIATE');
$db->exec("SELECT evercore_append(1, 3, 'Named', '{}')");
$insert->reset();
$insert->execute();
$db->exec('ROLLBACK');
check('a rollback takes both back', $count() === 3);
$db->query("SELECT evercore_append(1, NULL, 'Named', '{}')")->fetchArray();
check('query with fetchArray appends twice, as docs/hosts.md says', $count() === 5);
$db->query("SELECT evercore_append(1, NULL, 'Named', '{}', NULL, NULL, NULL, 'once')")->fetchArray();
check('with an event_id the second run is a repeat', $count() === 6);
$pdo = new PDO('sqlite::memory:');
try {
    $pdo->query('SELECT load_extension(' . $pdo->quote($argv[1]) . ')');
    check('PDO loads nothing', false);
} catch (PDOException $e) {
    check('PDO loads nothing', !method_exists($pdo, 'loadExtension'));
}
echo "$passed passed, $failed failed\n";
exit($failed ? 1 : 0);
