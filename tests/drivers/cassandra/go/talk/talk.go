// Package talk is what the clients of both drivers for Go have in common: their arguments, their
// input and their output. See ../../README.md.
package talk

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Timeout bounds every wait of a driver: a busy machine is no failure.
const Timeout = 30 * time.Second

// Target is where to connect, and as whom. Version is 0 where the driver is to find one out.
type Target struct {
	Host, User, Password string
	Port, Version        int
	TLS                  *tls.Config
}

// Node is one that a driver knows.
type Node struct {
	HostID  string `json:"host_id"`
	Address string `json:"address"`
	Port    int    `json:"port"`
	Tokens  int    `json:"tokens"`
	Up      bool   `json:"up"`
}

// Rows is what a statement returned.
type Rows struct {
	Rows        [][]string `json:"rows"`
	Coordinator string     `json:"coordinator"`
}

// Pages is how many rows a result had, how many of them differ, and in how many parts they came.
type Pages struct {
	Rows     int `json:"rows"`
	Distinct int `json:"distinct"`
	Pages    int `json:"pages"`
}

// Batch is how many statements were applied together.
type Batch struct {
	Statements int `json:"statements"`
}

// Nodes answers the line `nodes`.
type Nodes struct {
	Nodes []Node `json:"nodes"`
}

// Session is a driver that has connected.
type Session interface {
	Version() int
	Nodes() []Node
	Query(cql string, values ...interface{}) (Rows, error)
	Paged(size int, cql string) (Pages, error)
	Batch(statements []string) error
	Close()
}

type connected struct {
	Connected int     `json:"connected"`
	Seconds   float64 `json:"seconds"`
}

type failed struct {
	Error   string  `json:"error"`
	Seconds float64 `json:"seconds,omitempty"`
}

type event struct {
	Event   string `json:"event"`
	Address string `json:"address"`
	Port    int    `json:"port"`
}

var output sync.Mutex

func say(words interface{}) {
	line, err := json.Marshal(words)
	if err != nil {
		log.Fatal(err)
	}
	output.Lock()
	defer output.Unlock()
	fmt.Println(string(line))
}

// Tell says what a driver tells about a node.
func Tell(what, address string, port int) {
	say(event{Event: what, Address: address, Port: port})
}

func target(arguments []string) Target {
	to := Target{Host: arguments[0], User: arguments[3], Password: arguments[4]}
	to.Port, _ = strconv.Atoi(arguments[1])
	if len(arguments) > 5 {
		to.Version, _ = strconv.Atoi(arguments[5])
	}
	if arguments[2] != "-" {
		authority, err := os.ReadFile(arguments[2])
		if err != nil {
			log.Fatal(err)
		}
		to.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
		to.TLS.RootCAs.AppendCertsFromPEM(authority)
	}
	return to
}

// Run connects and does what the input says.
func Run(connect func(Target) (Session, error)) {
	started := time.Now()
	session, err := connect(target(os.Args[1:]))
	seconds := time.Since(started).Seconds()
	if err != nil {
		say(failed{Error: err.Error(), Seconds: seconds})
		return
	}
	defer session.Close()
	say(connected{Connected: session.Version(), Seconds: seconds})
	for input := bufio.NewScanner(os.Stdin); input.Scan(); {
		answer, err := do(session, input.Text())
		if err != nil {
			answer = failed{Error: err.Error()}
		}
		say(answer)
	}
}

func do(session Session, line string) (interface{}, error) {
	command, argument, _ := strings.Cut(line, " ")
	switch command {
	case "nodes":
		return Nodes{Nodes: session.Nodes()}, nil
	case "query":
		return session.Query(argument)
	case "batch":
		statements := strings.Split(argument, "; ")
		return Batch{Statements: len(statements)}, session.Batch(statements)
	}
	first, cql, _ := strings.Cut(argument, " ")
	number, err := strconv.Atoi(first)
	if err != nil {
		return nil, err
	}
	switch command {
	case "prepared":
		return session.Query(cql, number)
	case "paged":
		return session.Paged(number, cql)
	}
	return nil, fmt.Errorf("no such command: %s", command)
}
