// Logs in with go-sql-driver and does some work; see ../../README.md for what it is told.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"os"

	"gatehouse/tests/drivers/target"

	"github.com/go-sql-driver/mysql"
)

type done struct {
	User         string `json:"user"`
	ConnectionID int    `json:"connection_id"`
	Prepared     int    `json:"prepared"`
	Bytes        int    `json:"bytes"`
	Kept         int    `json:"kept"`
}

type failed struct {
	Error   uint16 `json:"error"`
	Message string `json:"message"`
}

// All on one connection: a pool could give each statement another.
func work(ctx context.Context, connection *sql.Conn) (done, error) {
	var did done
	var text string
	row := connection.QueryRowContext(ctx, "SELECT CURRENT_USER(), CONNECTION_ID()")
	if err := row.Scan(&did.User, &did.ConnectionID); err != nil {
		return did, err
	}
	// With arguments, the driver prepares the statement.
	row = connection.QueryRowContext(ctx, "SELECT ? + 1", 41)
	if err := row.Scan(&did.Prepared); err != nil {
		return did, err
	}
	row = connection.QueryRowContext(ctx, "SELECT REPEAT('x', 1048576)")
	if err := row.Scan(&text); err != nil {
		return did, err
	}
	did.Bytes = len(text)
	create := "CREATE TEMPORARY TABLE matrix (n INT) ENGINE=InnoDB"
	if _, err := connection.ExecContext(ctx, create); err != nil {
		return did, err
	}
	if err := insert(ctx, connection, 1, (*sql.Tx).Rollback); err != nil {
		return did, err
	}
	if err := insert(ctx, connection, 2, (*sql.Tx).Commit); err != nil {
		return did, err
	}
	return did, connection.QueryRowContext(ctx, "SELECT SUM(n) FROM matrix").Scan(&did.Kept)
}

func insert(ctx context.Context, connection *sql.Conn, n int, end func(*sql.Tx) error) error {
	transaction, err := connection.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if _, err := transaction.Exec("INSERT INTO matrix VALUES (?)", n); err != nil {
		return err
	}
	return end(transaction)
}

func logIn(to target.Target, user, password string) (done, error) {
	ctx := context.Background()
	database, err := to.Open(user, password)
	if err != nil {
		return done{}, err
	}
	defer database.Close()
	connection, err := database.Conn(ctx)
	if err != nil {
		return done{}, err
	}
	defer connection.Close()
	return work(ctx, connection)
}

func main() {
	to, logins := target.FromArguments(os.Args[1:])
	output := json.NewEncoder(os.Stdout)
	for ; len(logins) > 1; logins = logins[2:] {
		did, err := logIn(to, logins[0], logins[1])
		if err == nil {
			output.Encode(did)
			continue
		}
		failure := failed{Message: err.Error()}
		if refusal := new(mysql.MySQLError); errors.As(err, &refusal) {
			failure.Error = refusal.Number
		}
		output.Encode(failure)
	}
}
