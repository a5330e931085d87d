# Ruby's sqlite3: both forms append, both are undone with their transaction, errors by class.
require 'sqlite3'

db = SQLite3::Database.new(':memory:')
db.enable_load_extension(1)
db.load_extension(ARGV[0])
db.enable_load_extension(0)
db.execute('SELECT evercore_migrate()')
$passed = $failed = 0
def check(what, right)
  right ? $passed += 1 : $failed += 1
  puts "failed: #{what}" unless right
end
def said
  yield
  'nothing'
rescue SQLite3::Exception => e
  "#{e.class}: #{e.message}"
end

insert = 'INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES (?, ?, ?, ?)'
call = 'SELECT evercore_append(1, ?, ?, ?)'
db.execute(insert, ['User', 'ann', 'Created', '{"name":"Ann"}'])
check 'a call gives the sequence', db.get_first_value(call, [1, 'Named', '{"name":"Anna"}']) == 2
check 'the state is JSON', db.get_first_value('SELECT evercore_state(1)') == '{"name":"Anna"}'
check 'a conflict is a ConstraintException', said { db.execute(call, [1, 'Named', '{}']) } .start_with?('SQLite3::ConstraintException: EV001: ')
db.transaction
db.execute(insert, ['User', 'bob', 'Created', '{}'])
db.execute(call, [2, 'Named', '{}'])
db.rollback
check 'a rollback takes both back', db.get_first_value('SELECT count(*) FROM evercore_log') == 2
puts "#{$passed} passed, #{$failed} failed"
exit $failed.zero?
