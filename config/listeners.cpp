#include "config/listeners.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "config/names.h"
#include "config/servers.h"
#include "config/values.h"

namespace gatehouse::config {
namespace {

// What all listeners share while they are read.
struct Listeners {
  const std::vector<Server>& servers;
  NamesInUse names;
  // Two networks may use the same addresses, so a device is part of where a listener is.
  std::map<std::pair<SocketAddress, std::optional<std::string>>, Location> addresses;
};

// A network interface: Linux allows 15 bytes, no slash and no blank.
std::optional<std::string> read_device(const Value& value) {
  constexpr std::size_t length_max = 15;
  auto text = value.text();
  if (text && (text->size() > length_max || text->find_first_of("/ \t\n") != std::string::npos)) {
    value.error(in_quotes(*text) + " is not the name of a network interface");
  }
  return text;
}

std::optional<KeyPair> read_more_identity(const Value& value) {
  KeyPair pair;
  read_fields(value, [&](Fields& fields) { pair = read_key_pair(fields); });
  return pair;
}

ListenerTls read_listener_tls(const Value& value) {
  ListenerTls tls;
  read_fields(value, [&](Fields& fields) {
    tls.identity = read_key_pair(fields);
    fields.read("more", tls.more, list_of(read_more_identity));
    fields.read("minimum_version", tls.minimum_version,
                one_of<TlsVersion>({{"1.2", TlsVersion::v1_2}, {"1.3", TlsVersion::v1_3}}));
    fields.read("required", tls.required, read_boolean);
    const auto client_ca = fields.find("client_ca");
    if (client_ca) tls.client_ca = read_file_reference(*client_ca);
    if (client_ca && !tls.required) {
      client_ca->error("asks for client certificates, which plaintext clients do not have",
                       "remove 'required: false'");
    }
    const auto client_crl = fields.find("client_crl");
    if (client_crl) tls.client_crl = read_file_reference(*client_crl);
    if (client_crl && !client_ca) {
      client_crl->error("revokes client certificates, which nobody asks for without 'client_ca'");
    }
  });
  return tls;
}

// Load balancers are few: whoever may send a header may be anybody.
std::optional<rules::IpRange> read_sender(const Value& value) {
  auto range = read_range(value);
  if (!range) return range;
  const unsigned width = (range->last.bits() - range->first.bits()).width();
  const bool is_v4 = range->first.is_v4();
  if (width >= range->first.width()) {
    value.error("lets everybody say who they are", "name the load balancers' addresses");
  } else if (width > (is_v4 ? 16U : 64U)) {
    value.file().diagnostics.warning(
        value.at(), "lets many addresses say who is calling: each of them may be anybody",
        "name the load balancers' own addresses or subnet");
  }
  return range;
}

ProxyProtocol read_proxy_protocol(const Value& value) {
  ProxyProtocol proxy_protocol;
  read_fields(value, [&](Fields& fields) {
    fields.require("from", proxy_protocol.from, list_of(read_sender));
  });
  return proxy_protocol;
}

// The kernel does not choose between two that differ only in having a device: the last one bound
// gets every connection.
void check_device(const Value& item, const SocketAddress& address, const Listener& listener,
                  const Listeners& all) {
  const auto same = std::find_if(all.addresses.begin(), all.addresses.end(), [&](const auto& used) {
    const auto& [other, device] = used.first;
    return other == address && device.has_value() != listener.device.has_value();
  });
  if (same == all.addresses.end()) return;
  item.error(in_quotes(to_string(address)) + " is used with a 'device' and without one",
             first_at(same->second) + ": give both a device, or one of them another address");
}

void read_addresses(const Value& value, Listener& listener, Listeners& all) {
  const bool is_list = value.node().kind == YamlKind::sequence;
  for (const Value& item : is_list ? value.items() : std::vector{value}) {
    const auto address = read_socket_address(item);
    if (!address) continue;
    listener.addresses.push_back(*address);
    listener.addresses_at.push_back(item.at());
    if (address->port == 0) continue;  // Each gets a port of its own.
    check_device(item, *address, listener, all);
    const auto [first, is_new] = all.addresses.try_emplace({*address, listener.device}, item.at());
    if (!is_new)
      item.error(in_quotes(to_string(*address)) + " is used twice", first_at(first->second));
  }
}

// `protocol`: unset where it could not be read.
void read_listener_servers(const Value& value, std::optional<Protocol> protocol, Listener& listener,
                           const std::vector<Server>& servers) {
  NamesInUse names;
  for (const Value& item : value.items()) {
    auto name = item.text();
    if (!name) continue;
    names.add(item, *name);
    const auto server = std::find_if(servers.begin(), servers.end(),
                                     [&](const Server& other) { return other.name == *name; });
    if (server == servers.end()) {
      if (!servers.empty())
        item.error(in_quotes(*name) + " is no server", suggest(*name, names_of(servers)));
    } else if (protocol && server->protocol != *protocol) {
      item.error(in_quotes(*name) + " speaks another protocol than the listener",
                 fmt::format("see {}:{}", server->at.file, server->at.line));
    }
    listener.servers.push_back(*std::move(name));
  }
  if (listener.servers.size() > 1 && protocol == Protocol::cassandra) {
    value.error("a Cassandra listener leads to one server", "write a listener for each server");
  }
}

void read_login(const std::optional<Value>& value, std::optional<Protocol> protocol,
                Listener& listener) {
  const bool several = listener.servers.size() > 1;
  listener.login =
      several && protocol != Protocol::cassandra ? LoginMode::routed : LoginMode::transparent;
  if (!value) return;
  const auto login = one_of<LoginMode>(
      {{"transparent", LoginMode::transparent}, {"routed", LoginMode::routed}})(*value);
  if (login) listener.login = *login;
  if (protocol == Protocol::cassandra) {
    value->error("only a MariaDB listener has this");
  } else if (several && login == LoginMode::transparent) {
    value->error("a transparent login leads to one server",
                 "write 'login: routed', or a listener for each server");
  }
}

Listener read_listener(const Value& value, Listeners& all) {
  Listener listener;
  listener.at = value.at();
  std::optional<Protocol> protocol;
  read_fields(value, [&](Fields& fields) {
    fields.require("name", listener.name, unique_in(all.names, read_name));
    fields.require("protocol", protocol, read_protocol);
    fields.read("device", listener.device, read_device);
    if (const auto address = fields.require("address")) read_addresses(*address, listener, all);
    if (const auto servers = fields.require("servers")) {
      read_listener_servers(*servers, protocol, listener, all.servers);
    }
    read_login(fields.find("login"), protocol, listener);
    if (const auto tls = fields.require("tls")) listener.tls = read_listener_tls(*tls);
    fields.read("on_deny", listener.on_deny,
                one_of<OnDeny>({{"message", OnDeny::message}, {"reset", OnDeny::reset}}));
    if (const auto from = fields.find("proxy_protocol")) {
      listener.proxy_protocol = read_proxy_protocol(*from);
    }
    const auto nodes = fields.find("nodes");
    if (protocol == Protocol::cassandra) listener.nodes.emplace();
    if (nodes) listener.nodes = read_nodes(*nodes);
    if (nodes && protocol == Protocol::mariadb) nodes->error("only a Cassandra listener has this");
  });
  listener.protocol = protocol.value_or(Protocol::mariadb);
  return listener;
}

}  // namespace

std::vector<Listener> read_listeners(const Value& value, const std::vector<Server>& servers) {
  Listeners all{servers, {}, {}};
  std::vector<Listener> listeners;
  for (const Value& item : value.items()) listeners.push_back(read_listener(item, all));
  return listeners;
}

}  // namespace gatehouse::config
