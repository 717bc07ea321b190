#include "gateway/net/interface.h"

#include <array>
#include <cstring>

#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace gatehouse {

namespace {

// The kernel's number for it in an accepted TCP socket (linux/in6.h); libc's name is another's.
constexpr int ipv6_2292_packet_options = 6;

// Room for one control message of either family.
using Control = std::array<std::byte, 128>;

template <typename Info>
unsigned index_in(const cmsghdr& header, unsigned (*index)(const Info&)) {
  Info info{};
  if (header.cmsg_len < CMSG_LEN(sizeof info)) return 0;
  std::memcpy(&info, CMSG_DATA(&header), sizeof info);
  return index(info);
}

// 0: there is none.
unsigned arrival_index(int socket, int level, int option) {
  alignas(cmsghdr) Control control{};
  socklen_t size = control.size();
  if (::getsockopt(socket, level, option, control.data(), &size) != 0) return 0;
  msghdr message{};
  message.msg_control = control.data();
  message.msg_controllen = size;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO) {
      return index_in<in_pktinfo>(
          *header, [](const in_pktinfo& info) { return static_cast<unsigned>(info.ipi_ifindex); });
    }
    if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_PKTINFO) {
      return index_in<in6_pktinfo>(*header,
                                   [](const in6_pktinfo& info) { return info.ipi6_ifindex; });
    }
  }
  return 0;
}

}  // namespace

bool remember_interfaces(const Descriptor& socket, bool is_v4) noexcept {
  constexpr int on = 1;
  return ::setsockopt(socket.get(), is_v4 ? IPPROTO_IP : IPPROTO_IPV6,
                      is_v4 ? IP_PKTINFO : IPV6_RECVPKTINFO, &on, sizeof on) == 0;
}

std::string arrival_interface(int socket) {
  std::array<char, IF_NAMESIZE> name{};
  socklen_t size = name.size();
  if (::getsockopt(socket, SOL_SOCKET, SO_BINDTODEVICE, name.data(), &size) != 0) return {};
  if (size > 0) return name.data();
  unsigned index = arrival_index(socket, IPPROTO_IP, IP_PKTOPTIONS);
  if (index == 0) index = arrival_index(socket, IPPROTO_IPV6, ipv6_2292_packet_options);
  if (index == 0 || ::if_indextoname(index, name.data()) == nullptr) return {};
  return name.data();
}

}  // namespace gatehouse
