# Perl's DBD::SQLite binds numbers as text: they are taken where an integer is wanted.
use strict;
use warnings;
use DBI;

my $db = DBI->connect('dbi:SQLite:dbname=:memory:', '', '', {RaiseError => 1, PrintError => 0, AutoCommit => 1});
$db->sqlite_enable_load_extension(1);
$db->sqlite_load_extension($ARGV[0]);
$db->sqlite_enable_load_extension(0);
$db->do('SELECT evercore_migrate()');
my ($passed, $failed) = (0, 0);
sub check { my ($what, $right) = @_; if ($right) { $passed++ } else { $failed++; print "failed: $what\n" } }
sub value { my ($sql, @values) = @_; return ($db->selectrow_array($sql, undef, @values))[0] }

my $insert = 'INSERT INTO evercore_append (aggregate_type, natural_key, expected, event_type, data) VALUES (?, ?, ?, ?, ?)';
$db->do($insert, undef, 'User', 'ann', 0, 'Created', '{"name":"Ann"}');
check('a call takes numbers bound as text', value('SELECT evercore_append(?, ?, ?, ?)', '1', '1', 'Named', '{"name":"Anna"}') == 2);
check('the state is JSON', value('SELECT evercore_state(?)', '1') eq '{"name":"Anna"}');
eval { $db->do($insert, undef, 'User', 'ann', '1', 'Named', '{}') };
check('a conflict is error 19', $db->err == 19 && $db->errstr =~ /^EV001: /);
$db->begin_work;
$db->do($insert, undef, 'User', 'bob', undef, 'Created', '{}');
value('SELECT evercore_append(?, ?, ?, ?)', 2, undef, 'Named', '{}');
$db->rollback;
check('a rollback takes both back', value('SELECT count(*) FROM evercore_log') == 2);
print "$passed passed, $failed failed\n";
exit($failed ? 1 : 0);
