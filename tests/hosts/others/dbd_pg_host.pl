# Perl's DBD::Pg over PostgreSQL: parameters without a type are taken as what is wanted.
use strict;
use warnings;
use DBI;

my $db = DBI->connect("dbi:Pg:dbname=hosts;host=$ARGV[0]", 'postgres', '', {RaiseError => 1, PrintError => 0, AutoCommit => 1});
$db->do('SET search_path = evercore, public');
my ($passed, $failed) = (0, 0);
sub check { my ($what, $right) = @_; if ($right) { $passed++ } else { $failed++; print "failed: $what\n" } }
sub value { my ($sql, @values) = @_; return ($db->selectrow_array($sql, undef, @values))[0] }

my $id = value('SELECT evercore_ensure(?, ?)', 'Perl', 42);
check('a number is a key', value('SELECT evercore_find(?, ?)', 'Perl', '42') == $id);
check('a call takes numbers as text', value('SELECT evercore_append(?, ?, ?, ?)', "$id", '0', 'Created', '{"name":"Ann"}') == 1);
check('the state is JSON', value('SELECT evercore_state(?)', "$id") eq '{"name": "Ann"}');
$db->do('INSERT INTO evercore_append (aggregate_id, expected, event_type, data, event_time) VALUES (?, ?, ?, ?, ?)', undef, "$id", '1', 'Named', '{}', '2026-07-01 12:00');
eval { value('SELECT evercore_append(?, ?, ?, ?)', $id, 1, 'Named', '{}') };
check('a conflict has its SQLSTATE', $db->state eq 'EV001');
$db->begin_work;
value('SELECT evercore_append(?, ?, ?, ?)', $id, undef, 'Named', '{}');
$db->rollback;
check('a rollback takes it back', value('SELECT evercore_sequence(?)', $id) == 2);
print "$passed passed, $failed failed\n";
exit($failed ? 1 : 0);
