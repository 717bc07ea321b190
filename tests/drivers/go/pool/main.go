// The pool of database/sql, over go-sql-driver; see ../../README.md for what it is told.
package main

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"log"
	"os"

	"gatehouse/tests/drivers/target"
)

const size = 3

type answer struct {
	ConnectionIDs []int  `json:"connection_ids,omitempty"`
	Message       string `json:"message,omitempty"`
}

// Holds `count` connections at a time, and returns the thread of each.
func threads(pool *sql.DB, count int) ([]int, error) {
	ctx := context.Background()
	var taken []*sql.Conn
	defer func() {
		for _, connection := range taken {
			connection.Close()
		}
	}()
	for len(taken) < count {
		connection, err := pool.Conn(ctx)
		if err != nil {
			return nil, err
		}
		taken = append(taken, connection)
	}
	found := make([]int, count)
	for i, connection := range taken {
		row := connection.QueryRowContext(ctx, "SELECT CONNECTION_ID()")
		if err := row.Scan(&found[i]); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// As an application does that leaves the choice of the connection to the pool.
func thread(pool *sql.DB) ([]int, error) {
	found := make([]int, 1)
	err := pool.QueryRow("SELECT CONNECTION_ID()").Scan(&found[0])
	return found, err
}

func main() {
	to, login := target.FromArguments(os.Args[1:])
	pool, err := to.Open(login[0], login[1])
	if err != nil {
		log.Fatal(err)
	}
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
	output := json.NewEncoder(os.Stdout)
	for input := bufio.NewScanner(os.Stdin); input.Scan(); {
		var found []int
		if input.Text() == "fill" {
			found, err = threads(pool, size)
		} else {
			found, err = thread(pool)
		}
		if err != nil {
			output.Encode(answer{Message: err.Error()})
		} else {
			output.Encode(answer{ConnectionIDs: found})
		}
	}
}
