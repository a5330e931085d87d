# Tcl's sqlite3 binds variables as text where they were never numbers: they are taken where an integer is wanted.
package require sqlite3
sqlite3 db :memory:
db enable_load_extension 1
db eval {SELECT load_extension($::argv)}
db eval {SELECT evercore_migrate()}
set passed 0
set failed 0
proc check {what right} {
  incr ::[expr {$right ? "passed" : "failed"}]
  if {!$right} { puts "failed: $what" }
}
set key "ann"
set data {{"name":"Ann"}}
db eval {INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES ('User', $key, 'Created', $data)}
set id [string range "x1" 1 end]
set expected [string range "x1" 1 end]
check "a call takes numbers bound as text" [expr {[db onecolumn {SELECT evercore_append($id, $expected, 'Named', '{"name":"Anna"}')}] == 2}]
check "the state is JSON" [expr {[db onecolumn {SELECT evercore_state($id)}] eq {{"name":"Anna"}}}]
check "a conflict is an error 19" [expr {[catch {db eval {SELECT evercore_append($id, $expected, 'Named', '{}')}} said] && [string match "EV001: *" $said] && [db errorcode] == 19}]
catch {
  db transaction {
    db eval {INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES ('User', 'bob', 'Created', '{}')}
    db eval {SELECT evercore_append(2, NULL, 'Named', '{}')}
    error "the work failed"
  }
}
check "a rollback takes both back" [expr {[db onecolumn {SELECT count(*) FROM evercore_log}] == 2}]
puts "$passed passed, $failed failed"
exit [expr {$failed != 0}]
