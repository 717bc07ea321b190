// Bounds that are not for operators to choose. Those that are stand in gateway.yaml's `limits`;
// bounds of packets stand beside their codecs.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace gatehouse::limits {

// Connections taken from one listening socket before other work of the worker has a turn.
inline constexpr int accepts_per_turn = 64;
// Waiting out a lack of descriptors or memory: the backlog keeps what comes meanwhile.
inline constexpr auto accept_back_off = std::chrono::milliseconds(100);
inline constexpr int listen_backlog = 4096;

// One per worker, shared by its relays: what is read in one turn. Four TLS records (RFC 8446 5.1),
// less so much that with their headers and tags they are one segment, of which the kernel's largest
// holds 65,483 bytes.
inline constexpr std::size_t relay_scratch_size = std::size_t{64} * 1024 - 256;

// How long a refused or finished client may take to read our last bytes and close.
inline constexpr auto gentle_close = std::chrono::seconds(1);
// How long it may take to tell a client that never got in why: its TLS and its first frame
// included.
inline constexpr auto telling_why = std::chrono::seconds(4);
// How long an abandoned backend login may take to be finished.
inline constexpr auto abandoned_login = std::chrono::seconds(2);

// How often live sessions are judged by the clock and idle ones looked for.
inline constexpr auto sweep_every = std::chrono::seconds(1);

// How often the control thread looks whether a device that a listener is bound to was made anew,
// and whether its own standing work is under way.
inline constexpr auto look_every = std::chrono::seconds(1);

// Pairs of a source and a server whose failed logins are counted, or that are blocked for them,
// at a time: 4 MiB at most.
inline constexpr std::size_t failed_login_sources = 16384;

// What backends are asked in the background (backend_watch.h): how often it is looked which need
// it; when one that failed is tried again, a pause that doubles up to the last; and how many at a
// time.
inline constexpr auto backend_look_every = std::chrono::seconds(1);
inline constexpr auto backend_retry_first = std::chrono::seconds(2);
inline constexpr auto backend_retry_last = std::chrono::seconds(30);
inline constexpr std::size_t backend_probes = 16;
// How long the start may wait for them, so that a routed listener's first client is greeted with
// what the backends really have.
inline constexpr auto first_greetings = std::chrono::seconds(1);

// Learning a Cassandra cluster's ring (cluster_watch.h). One that cannot be learned is tried again
// with the pauses of backends.
inline constexpr std::uint32_t cluster_answer_size = 16 * 1024 * 1024;
inline constexpr auto cluster_answer = std::chrono::seconds(10);  // how long one may take
inline constexpr auto cluster_heartbeat_every = std::chrono::seconds(30);
inline constexpr auto cluster_look_every = std::chrono::seconds(60);
// Behind an event: events come in groups, and a node tells of what it has not written down yet.
inline constexpr auto cluster_look_soon = std::chrono::milliseconds(100);
inline constexpr auto cluster_look_again = std::chrono::seconds(1);
// After a change of the schema, until all nodes have it, and how long that is waited for.
inline constexpr auto schema_look_every = std::chrono::milliseconds(200);
inline constexpr auto schema_agreement = std::chrono::seconds(10);
// Nodes of a ring that are tried in one round besides those that the configuration names.
inline constexpr std::size_t cluster_candidates = 16;
// Nodes that are down are asked whether they still are, one after the other.
inline constexpr auto cluster_ask_the_down_every = std::chrono::seconds(5);
// One that has ended the gateway's connection is asked for so long, though it answers: a node that
// is being stopped does for a while, and others may have told of it before anybody listened.
inline constexpr auto cluster_suspect_for = std::chrono::minutes(2);
// A connection that did not last this long is no reason to make the next one at once.
inline constexpr auto cluster_short_connection = std::chrono::seconds(10);

// Nodes of a cluster that one listener gives places to (given_nodes.h), also those that left; each
// has a socket in every worker.
inline constexpr std::size_t node_places = 1024;
// How long the place of a node that left stays its own, whatever happens.
inline constexpr auto node_place_kept = std::chrono::hours(7 * 24);
// Ports of the system's choice that are tried for one node.
inline constexpr int free_port_tries = 16;

// TLS sessions that are kept for each server, one for each place it is at, some 4 KiB each. A
// cluster may have more nodes: those are then greeted with whole handshakes at times.
inline constexpr std::size_t tls_sessions_per_server = 1024;

// Connections at a time to the admin's HTTP address and to the admin socket, each: what sessions
// need is not theirs.
inline constexpr int admin_connections = 64;

}  // namespace gatehouse::limits
