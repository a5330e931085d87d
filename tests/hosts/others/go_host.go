// Go's mattn/go-sqlite3: a driver registered with the extension; data may be a string or, since it is UTF-8 JSON, []byte.
package main

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/mattn/go-sqlite3"
)

var passed, failed int

func check(what string, right bool) {
	if right {
		passed++
	} else {
		failed++
		fmt.Println("failed:", what)
	}
}

func main() {
	sql.Register("evercore", &sqlite3.SQLiteDriver{Extensions: []string{os.Args[1]}})
	db, err := sql.Open("evercore", "file::memory:?cache=private")
	if err != nil {
		panic(err)
	}
	db.SetMaxOpenConns(1)
	value := func(query string, values ...any) (result string, err error) {
		err = db.QueryRow(query, values...).Scan(&result)
		return
	}
	if _, err := value("SELECT evercore_migrate()"); err != nil {
		panic(err)
	}
	const insert = "INSERT INTO evercore_append (aggregate_type, natural_key, event_type, data) VALUES (?, ?, ?, ?)"
	_, err = db.Exec(insert, "User", "ann", "Created", `{"name":"Ann"}`)
	check("an INSERT appends", err == nil)
	sequence, err := value("SELECT evercore_append(?, ?, ?, ?)", 1, 1, "Named", []byte(`{"name":"Anna"}`))
	check("a call gives the sequence, data may be bytes", err == nil && sequence == "2")
	state, _ := value("SELECT evercore_state(1)")
	check("the state is JSON", state == `{"name":"Anna"}`)
	_, err = value("SELECT evercore_append(1, 1, 'Named', '{}')")
	var fault sqlite3.Error
	check("a conflict is a constraint", errors.As(err, &fault) && fault.Code == sqlite3.ErrConstraint && strings.HasPrefix(fault.Error(), "EV001: "))
	tx, _ := db.Begin()
	tx.Exec(insert, "User", "bob", "Created", "{}")
	tx.QueryRow("SELECT evercore_append(2, NULL, 'Named', '{}')").Scan(&sequence)
	tx.Rollback()
	count, _ := value("SELECT count(*) FROM evercore_log")
	check("a rollback takes both back", count == "2")
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		os.Exit(1)
	}
}
