// Connects with github.com/gocql/gocql and does what it is told; see ../../README.md.
package main

import (
	"context"
	"fmt"
	"net"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"gatehouse/tests/drivers/cassandra/talk"

	"github.com/gocql/gocql"
)

// hosts is a policy that also notes which nodes the driver tells it of: nothing else lists them.
type hosts struct {
	gocql.HostSelectionPolicy
	known sync.Map // of *gocql.HostInfo by the host's id
	ready atomic.Bool
}

func (h *hosts) tell(event string, host *gocql.HostInfo) {
	if h.ready.Load() {
		talk.Tell(event, host.ConnectAddress().String(), host.Port())
	}
}

func (h *hosts) AddHost(host *gocql.HostInfo) {
	h.known.Store(host.HostID(), host)
	h.tell("added", host)
	h.HostSelectionPolicy.AddHost(host)
}

func (h *hosts) RemoveHost(host *gocql.HostInfo) {
	h.known.Delete(host.HostID())
	h.tell("removed", host)
	h.HostSelectionPolicy.RemoveHost(host)
}

func (h *hosts) HostUp(host *gocql.HostInfo) {
	h.known.Store(host.HostID(), host)
	h.tell("up", host)
	h.HostSelectionPolicy.HostUp(host)
}

func (h *hosts) HostDown(host *gocql.HostInfo) {
	h.tell("down", host)
	h.HostSelectionPolicy.HostDown(host)
}

// version is that of the latest frame: the driver does not tell which one it agreed on.
type version struct {
	latest atomic.Int32
}

func (v *version) ObserveFrameHeader(_ context.Context, frame gocql.ObservedFrameHeader) {
	v.latest.Store(int32(frame.Version) & 0x7f)
}

type session struct {
	*gocql.Session
	hosts   *hosts
	version *version
}

func connect(to talk.Target) (talk.Session, error) {
	made := session{
		hosts: &hosts{
			HostSelectionPolicy: gocql.TokenAwareHostPolicy(gocql.RoundRobinHostPolicy()),
		},
		version: &version{},
	}
	cluster := gocql.NewCluster(net.JoinHostPort(to.Host, strconv.Itoa(to.Port)))
	cluster.Port = to.Port
	cluster.ProtoVersion = to.Version
	cluster.Authenticator = gocql.PasswordAuthenticator{Username: to.User, Password: to.Password}
	cluster.ConnectTimeout = talk.Timeout
	cluster.Timeout = talk.Timeout
	cluster.NumConns = 1
	cluster.Consistency = gocql.One
	cluster.PoolConfig.HostSelectionPolicy = made.hosts
	cluster.FrameHeaderObserver = made.version
	if to.TLS != nil {
		cluster.SslOpts = &gocql.SslOptions{Config: to.TLS, EnableHostVerification: true}
	}
	var err error
	made.Session, err = cluster.CreateSession()
	made.hosts.ready.Store(true)
	return made, err
}

func (s session) Version() int {
	return int(s.version.latest.Load())
}

func (s session) Nodes() []talk.Node {
	nodes := []talk.Node{}
	s.hosts.known.Range(func(_, value interface{}) bool {
		host := value.(*gocql.HostInfo)
		nodes = append(nodes, talk.Node{
			HostID:  host.HostID(),
			Address: host.ConnectAddress().String(),
			Port:    host.Port(),
			Tokens:  len(host.Tokens()),
			Up:      host.IsUp(),
		})
		return true
	})
	return nodes
}

func (s session) Query(cql string, values ...interface{}) (talk.Rows, error) {
	rows := talk.Rows{Rows: [][]string{}}
	// The columns of a conditional statement are known only with its answer.
	iterator := s.Session.Query(cql, values...).NoSkipMetadata().Iter()
	if host := iterator.Host(); host != nil {
		rows.Coordinator = host.ConnectAddressAndPort()
	}
	rows.Rows = append(rows.Rows, texts(iterator)...)
	return rows, iterator.Close()
}

// texts are the rows of this page and of all that follow it.
func texts(iterator *gocql.Iter) [][]string {
	var rows [][]string
	for {
		row, err := iterator.RowData()
		if err != nil || !iterator.Scan(row.Values...) {
			return rows
		}
		var texts []string
		for _, value := range row.Values {
			texts = append(texts, fmt.Sprint(reflect.Indirect(reflect.ValueOf(value)).Interface()))
		}
		rows = append(rows, texts)
	}
}

func (s session) Paged(size int, cql string) (talk.Pages, error) {
	var pages talk.Pages
	distinct := map[string]bool{}
	for state := []byte(nil); pages.Pages == 0 || len(state) > 0; pages.Pages++ {
		iterator := s.Session.Query(cql).PageSize(size).PageState(state).Iter()
		pages.Rows += iterator.NumRows()
		state = iterator.PageState()
		for _, row := range texts(iterator) {
			distinct[strings.Join(row, ",")] = true
		}
		if err := iterator.Close(); err != nil {
			return pages, err
		}
	}
	pages.Distinct = len(distinct)
	return pages, nil
}

func (s session) Batch(statements []string) error {
	batch := s.Session.NewBatch(gocql.LoggedBatch)
	for _, statement := range statements {
		batch.Query(statement)
	}
	return s.Session.ExecuteBatch(batch)
}

func main() {
	talk.Run(connect)
}
