# R's RSQLite: both forms; dbExecute counts more rows than were given.
suppressMessages(library(DBI))
passed <- 0
failed <- 0
check <- function(what, right) {
  if (isTRUE(right)) passed <<- passed + 1 else { failed <<- failed + 1; cat("failed:", what, "\n") }
}
db <- dbConnect(RSQLite::SQLite(), ":memory:", loadable.extensions = TRUE)
value <- function(sql, ...) dbGetQuery(db, sql, ...)[[1]]
loaded <- value("SELECT load_extension(?)", params = list(commandArgs(trailingOnly = TRUE)[1]))
version <- value("SELECT evercore_migrate()")
insert <- "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES (?, ?, ?, ?)"
rows <- dbExecute(db, insert, params = list(c("User", "User"), c("ann", "bob"), rep("Created", 2), rep("{\"name\":\"Ann\"}", 2)))
check("two rows are two events, whatever dbExecute counts", rows >= 2 && value("SELECT count(*) FROM evercore_log") == 2)
check("a call gives the sequence, its number may be a double", value("SELECT evercore_append(?, ?, 'Named', '{\"name\":\"Anna\"}')", params = list(1, 1)) == 2)
check("the state is JSON", value("SELECT evercore_state(1)") == "{\"name\":\"Anna\"}")
said <- tryCatch(value("SELECT evercore_append(1, 1, 'Named', '{}')"), error = function(e) conditionMessage(e))
check("a conflict is an error", grepl("EV001: ", said, fixed = TRUE))
dbBegin(db)
dbExecute(db, insert, params = list("User", "cid", "Created", "{}"))
sequence <- value("SELECT evercore_append(3, NULL, 'Named', '{}')")
dbRollback(db)
check("a rollback takes both back", value("SELECT count(*) FROM evercore_log") == 3)
dbDisconnect(db)
cat(passed, "passed,", failed, "failed\n")
quit(status = if (failed) 1 else 0)
