// Package target knows where and how the programs connect: always over TLS, verified.
package target

import (
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"log"
	"net"
	"os"
	"time"

	"github.com/go-sql-driver/mysql"
)

const timeout = 20 * time.Second // A busy machine is no failure.

// Target is a server, and the TLS to speak with it.
type Target struct {
	address string
	tls     *tls.Config
}

// FromArguments takes host, port, authority and version of TLS off the front of the arguments.
func FromArguments(arguments []string) (Target, []string) {
	authority, err := os.ReadFile(arguments[2])
	if err != nil {
		log.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	version := map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}[arguments[3]]
	return Target{
		address: net.JoinHostPort(arguments[0], arguments[1]),
		tls: &tls.Config{
			RootCAs:    roots,
			ServerName: arguments[0],
			MinVersion: version,
			MaxVersion: version,
		},
	}, arguments[4:]
}

// Open returns a pool that has not connected yet.
func (to Target) Open(user, password string) (*sql.DB, error) {
	if err := mysql.RegisterTLSConfig("gatehouse", to.tls); err != nil {
		return nil, err
	}
	config := mysql.NewConfig()
	config.Net = "tcp"
	config.Addr = to.address
	config.User = user
	config.Passwd = password
	config.DBName = "shop"
	config.TLSConfig = "gatehouse"
	config.Timeout = timeout
	config.ReadTimeout = timeout
	return sql.Open("mysql", config.FormatDSN())
}
