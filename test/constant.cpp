// SPDX-License-Identifier: MIT

#include "support.hpp"

#include <baresock/constant.hpp>

#include <cerrno>
#include <climits>
#include <cstring>
#include <map>
#include <net/ethernet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <set>
#include <string>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <linux/can.h>
#include <linux/can/bcm.h>
#include <linux/can/isotp.h>
#include <linux/can/j1939.h>
#include <linux/can/raw.h>
#include <linux/errqueue.h>
#include <linux/if_alg.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <linux/mctp.h>
#include <linux/net_tstamp.h>
#include <linux/netlink.h>
#include <linux/qrtr.h>
#include <linux/rds.h>
#include <linux/rtnetlink.h>
#include <linux/sctp.h>
#include <linux/sock_diag.h>
#include <linux/tipc.h>
#include <linux/tls.h>
#include <linux/vm_sockets.h>

using namespace baresock;

namespace {

struct Known {
  const char *name;
  long long value;
};
#define HAS(name) {#name, name}

// What socket modules of language runtimes export on Linux, with the numbers of the headers, or of newer ones.
// clang-format off: as many to a line as it takes
constexpr Known ucode[] = {
    HAS(AF_INET), HAS(AF_INET6), HAS(AF_PACKET), HAS(AF_UNIX), HAS(AF_UNSPEC), HAS(AI_ADDRCONFIG), HAS(AI_ALL),
    HAS(AI_CANONIDN), HAS(AI_CANONNAME), HAS(AI_IDN), HAS(AI_NUMERICHOST), HAS(AI_NUMERICSERV), HAS(AI_PASSIVE),
    HAS(AI_V4MAPPED), HAS(IPPROTO_IP), HAS(IPPROTO_IPV6), HAS(IPPROTO_TCP), HAS(IPPROTO_UDP), HAS(IPV6_ADDRFORM),
    HAS(IPV6_ADDR_PREFERENCES), HAS(IPV6_ADD_MEMBERSHIP), HAS(IPV6_AUTHHDR), HAS(IPV6_AUTOFLOWLABEL),
    HAS(IPV6_DONTFRAG), HAS(IPV6_DROP_MEMBERSHIP), HAS(IPV6_DSTOPTS), HAS(IPV6_FLOWINFO), HAS(IPV6_FLOWINFO_SEND),
    HAS(IPV6_FLOWLABEL_MGR), HAS(IPV6_FREEBIND), HAS(IPV6_HOPLIMIT), HAS(IPV6_HOPOPTS), HAS(IPV6_JOIN_ANYCAST),
    HAS(IPV6_LEAVE_ANYCAST), HAS(IPV6_MINHOPCOUNT), HAS(IPV6_MTU), HAS(IPV6_MTU_DISCOVER), HAS(IPV6_MULTICAST_ALL),
    HAS(IPV6_MULTICAST_HOPS), HAS(IPV6_MULTICAST_IF), HAS(IPV6_MULTICAST_LOOP), HAS(IPV6_PKTINFO),
    HAS(IPV6_RECVDSTOPTS), HAS(IPV6_RECVERR), HAS(IPV6_RECVFRAGSIZE), HAS(IPV6_RECVHOPLIMIT), HAS(IPV6_RECVHOPOPTS),
    HAS(IPV6_RECVORIGDSTADDR), HAS(IPV6_RECVPATHMTU), HAS(IPV6_RECVPKTINFO), HAS(IPV6_RECVRTHDR),
    HAS(IPV6_RECVTCLASS), HAS(IPV6_ROUTER_ALERT), HAS(IPV6_ROUTER_ALERT_ISOLATE), HAS(IPV6_RTHDR),
    HAS(IPV6_RTHDRDSTOPTS), HAS(IPV6_TCLASS), HAS(IPV6_TRANSPARENT), HAS(IPV6_UNICAST_HOPS), HAS(IPV6_UNICAST_IF),
    HAS(IPV6_V6ONLY), HAS(IP_ADD_MEMBERSHIP), HAS(IP_ADD_SOURCE_MEMBERSHIP), HAS(IP_BIND_ADDRESS_NO_PORT),
    HAS(IP_BLOCK_SOURCE), HAS(IP_DROP_MEMBERSHIP), HAS(IP_DROP_SOURCE_MEMBERSHIP), HAS(IP_FREEBIND), HAS(IP_HDRINCL),
    HAS(IP_MSFILTER), HAS(IP_MTU), HAS(IP_MTU_DISCOVER), HAS(IP_MULTICAST_ALL), HAS(IP_MULTICAST_IF),
    HAS(IP_MULTICAST_LOOP), HAS(IP_MULTICAST_TTL), HAS(IP_NODEFRAG), HAS(IP_OPTIONS), HAS(IP_PASSSEC),
    HAS(IP_PKTINFO), HAS(IP_RECVERR), HAS(IP_RECVOPTS), HAS(IP_RECVORIGDSTADDR), HAS(IP_RECVTOS), HAS(IP_RECVTTL),
    HAS(IP_RETOPTS), HAS(IP_ROUTER_ALERT), HAS(IP_TOS), HAS(IP_TRANSPARENT), HAS(IP_TTL), HAS(IP_UNBLOCK_SOURCE),
    HAS(MSG_CMSG_CLOEXEC), HAS(MSG_CONFIRM), HAS(MSG_DONTROUTE), HAS(MSG_DONTWAIT), HAS(MSG_EOR), HAS(MSG_ERRQUEUE),
    HAS(MSG_FASTOPEN), HAS(MSG_MORE), HAS(MSG_NOSIGNAL), HAS(MSG_OOB), HAS(MSG_PEEK), HAS(MSG_TRUNC),
    HAS(MSG_WAITALL), HAS(NI_DGRAM), HAS(NI_IDN), HAS(NI_MAXHOST), HAS(NI_MAXSERV), HAS(NI_NAMEREQD), HAS(NI_NOFQDN),
    HAS(NI_NUMERICHOST), HAS(NI_NUMERICSERV), HAS(PACKET_ADD_MEMBERSHIP), HAS(PACKET_AUXDATA), HAS(PACKET_BROADCAST),
    HAS(PACKET_DROP_MEMBERSHIP), HAS(PACKET_FANOUT), HAS(PACKET_HOST), HAS(PACKET_LOSS), HAS(PACKET_MR_ALLMULTI),
    HAS(PACKET_MR_MULTICAST), HAS(PACKET_MR_PROMISC), HAS(PACKET_MULTICAST), HAS(PACKET_OTHERHOST),
    HAS(PACKET_OUTGOING), HAS(PACKET_QDISC_BYPASS), HAS(PACKET_RESERVE), HAS(PACKET_RX_RING), HAS(PACKET_STATISTICS),
    HAS(PACKET_TIMESTAMP), HAS(PACKET_TX_RING), HAS(PACKET_VERSION), HAS(POLLERR), HAS(POLLHUP), HAS(POLLIN),
    HAS(POLLNVAL), HAS(POLLOUT), HAS(POLLPRI), HAS(POLLRDHUP), HAS(SCM_CREDENTIALS), HAS(SCM_RIGHTS), HAS(SHUT_RD),
    HAS(SHUT_RDWR), HAS(SHUT_WR), HAS(SOCK_CLOEXEC), HAS(SOCK_DGRAM), HAS(SOCK_NONBLOCK), HAS(SOCK_PACKET),
    HAS(SOCK_RAW), HAS(SOCK_STREAM), HAS(SOL_PACKET), HAS(SOL_SOCKET), HAS(SO_ACCEPTCONN), HAS(SO_ATTACH_BPF),
    HAS(SO_ATTACH_FILTER), HAS(SO_ATTACH_REUSEPORT_CBPF), HAS(SO_ATTACH_REUSEPORT_EBPF), HAS(SO_BINDTODEVICE),
    HAS(SO_BROADCAST), HAS(SO_BUSY_POLL), HAS(SO_DEBUG), HAS(SO_DETACH_BPF), HAS(SO_DETACH_FILTER), HAS(SO_DOMAIN),
    HAS(SO_DONTROUTE), HAS(SO_ERROR), HAS(SO_INCOMING_CPU), HAS(SO_INCOMING_NAPI_ID), HAS(SO_KEEPALIVE),
    HAS(SO_LINGER), HAS(SO_LOCK_FILTER), HAS(SO_MARK), HAS(SO_OOBINLINE), HAS(SO_PASSCRED), HAS(SO_PASSSEC),
    HAS(SO_PEEK_OFF), HAS(SO_PEERCRED), HAS(SO_PEERSEC), HAS(SO_PRIORITY), HAS(SO_PROTOCOL), HAS(SO_RCVBUF),
    HAS(SO_RCVBUFFORCE), HAS(SO_RCVLOWAT), HAS(SO_RCVTIMEO), HAS(SO_REUSEADDR), HAS(SO_REUSEPORT), HAS(SO_RXQ_OVFL),
    HAS(SO_SNDBUF), HAS(SO_SNDBUFFORCE), HAS(SO_SNDLOWAT), HAS(SO_SNDTIMEO), HAS(SO_TIMESTAMP), HAS(SO_TIMESTAMPNS),
    HAS(SO_TYPE), HAS(TCP_CONGESTION), HAS(TCP_CORK), HAS(TCP_DEFER_ACCEPT), HAS(TCP_FASTOPEN),
    HAS(TCP_FASTOPEN_CONNECT), HAS(TCP_INFO), HAS(TCP_KEEPCNT), HAS(TCP_KEEPIDLE), HAS(TCP_KEEPINTVL),
    HAS(TCP_LINGER2), HAS(TCP_MAXSEG), HAS(TCP_NODELAY), HAS(TCP_QUICKACK), HAS(TCP_SYNCNT), HAS(TCP_USER_TIMEOUT),
    HAS(TCP_WINDOW_CLAMP), HAS(UDP_CORK),
};

constexpr Known sjs[] = {
    HAS(AF_INET), HAS(AF_INET6), HAS(AF_UNIX), HAS(AI_ADDRCONFIG), HAS(AI_ALL), HAS(AI_CANONNAME),
    HAS(AI_NUMERICHOST), HAS(AI_NUMERICSERV), HAS(AI_V4MAPPED), HAS(EAI_AGAIN), HAS(EAI_BADFLAGS), HAS(EAI_FAIL),
    HAS(EAI_FAMILY), HAS(EAI_MEMORY), HAS(EAI_NONAME), HAS(EAI_OVERFLOW), HAS(EAI_SERVICE), HAS(EAI_SOCKTYPE),
    HAS(EAI_SYSTEM), HAS(IPPROTO_IP), HAS(IPPROTO_IPV6), HAS(IPPROTO_TCP), HAS(IPV6_V6ONLY), HAS(POLLERR),
    HAS(POLLHUP), HAS(POLLIN), HAS(POLLNVAL), HAS(POLLOUT), HAS(POLLPRI), HAS(POLLRDHUP), HAS(SHUT_RD),
    HAS(SHUT_RDWR), HAS(SHUT_WR), HAS(SOCK_CLOEXEC), HAS(SOCK_DGRAM), HAS(SOCK_STREAM), HAS(SOL_SOCKET),
    HAS(SO_BROADCAST), HAS(SO_DEBUG), HAS(SO_DONTROUTE), HAS(SO_ERROR), HAS(SO_KEEPALIVE), HAS(SO_LINGER),
    HAS(SO_OOBINLINE), HAS(SO_RCVBUF), HAS(SO_RCVTIMEO), HAS(SO_REUSEADDR), HAS(SO_REUSEPORT), HAS(SO_SNDBUF),
    HAS(SO_SNDTIMEO), HAS(TCP_CORK), HAS(TCP_KEEPCNT), HAS(TCP_KEEPIDLE), HAS(TCP_KEEPINTVL), HAS(TCP_NODELAY),
};

constexpr Known python[] = {
    HAS(AF_ALG), HAS(AF_APPLETALK), HAS(AF_ASH), HAS(AF_ATMPVC), HAS(AF_ATMSVC), HAS(AF_AX25), HAS(AF_BLUETOOTH),
    HAS(AF_BRIDGE), HAS(AF_CAN), HAS(AF_DECnet), HAS(AF_ECONET), HAS(AF_INET), HAS(AF_INET6), HAS(AF_IPX),
    HAS(AF_IRDA), HAS(AF_KEY), HAS(AF_LLC), HAS(AF_NETBEUI), HAS(AF_NETLINK), HAS(AF_NETROM), HAS(AF_PACKET),
    HAS(AF_PPPOX), HAS(AF_QIPCRTR), HAS(AF_RDS), HAS(AF_ROSE), HAS(AF_ROUTE), HAS(AF_SECURITY), HAS(AF_SNA),
    HAS(AF_TIPC), HAS(AF_UNIX), HAS(AF_UNSPEC), HAS(AF_VSOCK), HAS(AF_WANPIPE), HAS(AF_X25), HAS(AI_ADDRCONFIG),
    HAS(AI_ALL), HAS(AI_CANONNAME), HAS(AI_NUMERICHOST), HAS(AI_NUMERICSERV), HAS(AI_PASSIVE), HAS(AI_V4MAPPED),
    HAS(ALG_OP_DECRYPT), HAS(ALG_OP_ENCRYPT), {"ALG_OP_SIGN", 2}, {"ALG_OP_VERIFY", 3}, HAS(ALG_SET_AEAD_ASSOCLEN),
    HAS(ALG_SET_AEAD_AUTHSIZE), HAS(ALG_SET_IV), HAS(ALG_SET_KEY), HAS(ALG_SET_OP), {"ALG_SET_PUBKEY", 6},
    {"BDADDR_BREDR", 0}, {"BDADDR_LE_PUBLIC", 1}, {"BDADDR_LE_RANDOM", 2}, {"BTPROTO_HCI", 1}, {"BTPROTO_L2CAP", 0},
    {"BTPROTO_RFCOMM", 3}, {"BTPROTO_SCO", 2}, {"BT_CHANNEL_POLICY", 10}, {"BT_CHANNEL_POLICY_BREDR_ONLY", 0},
    {"BT_CHANNEL_POLICY_BREDR_PREFERRED", 1}, {"BT_CODEC", 19}, {"BT_DEFER_SETUP", 7}, {"BT_FLUSHABLE", 8},
    {"BT_FLUSHABLE_OFF", 0}, {"BT_FLUSHABLE_ON", 1}, {"BT_ISO_QOS", 17}, {"BT_MODE", 15}, {"BT_MODE_BASIC", 0},
    {"BT_MODE_ERTM", 1}, {"BT_MODE_EXT_FLOWCTL", 4}, {"BT_MODE_LE_FLOWCTL", 3}, {"BT_MODE_STREAMING", 2},
    {"BT_PHY", 14}, {"BT_PHY_BR_1M_1SLOT", 1}, {"BT_PHY_BR_1M_3SLOT", 2}, {"BT_PHY_BR_1M_5SLOT", 4},
    {"BT_PHY_EDR_2M_1SLOT", 8}, {"BT_PHY_EDR_2M_3SLOT", 16}, {"BT_PHY_EDR_2M_5SLOT", 32}, {"BT_PHY_EDR_3M_1SLOT", 64},
    {"BT_PHY_EDR_3M_3SLOT", 128}, {"BT_PHY_EDR_3M_5SLOT", 256}, {"BT_PHY_LE_1M_RX", 1024}, {"BT_PHY_LE_1M_TX", 512},
    {"BT_PHY_LE_2M_RX", 4096}, {"BT_PHY_LE_2M_TX", 2048}, {"BT_PHY_LE_CODED_RX", 16384}, {"BT_PHY_LE_CODED_TX", 8192},
    {"BT_PKT_STATUS", 16}, {"BT_POWER", 9}, {"BT_POWER_FORCE_ACTIVE_OFF", 0}, {"BT_POWER_FORCE_ACTIVE_ON", 1},
    {"BT_RCVMTU", 13}, {"BT_SECURITY", 4}, {"BT_SECURITY_FIPS", 4}, {"BT_SECURITY_HIGH", 3}, {"BT_SECURITY_LOW", 1},
    {"BT_SECURITY_MEDIUM", 2}, {"BT_SECURITY_SDP", 0}, {"BT_SNDMTU", 12}, {"BT_VOICE", 11},
    {"BT_VOICE_CVSD_16BIT", 96}, {"BT_VOICE_TRANSPARENT", 3}, {"BT_VOICE_TRANSPARENT_16BIT", 99}, HAS(CAN_BCM),
    {"CAN_BCM_CAN_FD_FRAME", CAN_FD_FRAME}, {"CAN_BCM_RX_ANNOUNCE_RESUME", RX_ANNOUNCE_RESUME},
    {"CAN_BCM_RX_CHANGED", RX_CHANGED}, {"CAN_BCM_RX_CHECK_DLC", RX_CHECK_DLC}, {"CAN_BCM_RX_DELETE", RX_DELETE},
    {"CAN_BCM_RX_FILTER_ID", RX_FILTER_ID}, {"CAN_BCM_RX_NO_AUTOTIMER", RX_NO_AUTOTIMER},
    {"CAN_BCM_RX_READ", RX_READ}, {"CAN_BCM_RX_RTR_FRAME", RX_RTR_FRAME}, {"CAN_BCM_RX_SETUP", RX_SETUP},
    {"CAN_BCM_RX_STATUS", RX_STATUS}, {"CAN_BCM_RX_TIMEOUT", RX_TIMEOUT}, {"CAN_BCM_SETTIMER", SETTIMER},
    {"CAN_BCM_STARTTIMER", STARTTIMER}, {"CAN_BCM_TX_ANNOUNCE", TX_ANNOUNCE}, {"CAN_BCM_TX_COUNTEVT", TX_COUNTEVT},
    {"CAN_BCM_TX_CP_CAN_ID", TX_CP_CAN_ID}, {"CAN_BCM_TX_DELETE", TX_DELETE}, {"CAN_BCM_TX_EXPIRED", TX_EXPIRED},
    {"CAN_BCM_TX_READ", TX_READ}, {"CAN_BCM_TX_RESET_MULTI_IDX", TX_RESET_MULTI_IDX}, {"CAN_BCM_TX_SEND", TX_SEND},
    {"CAN_BCM_TX_SETUP", TX_SETUP}, {"CAN_BCM_TX_STATUS", TX_STATUS}, HAS(CAN_EFF_FLAG), HAS(CAN_EFF_MASK),
    HAS(CAN_ERR_FLAG), HAS(CAN_ERR_MASK), HAS(CAN_ISOTP), HAS(CAN_J1939), HAS(CAN_RAW), HAS(CAN_RAW_ERR_FILTER),
    HAS(CAN_RAW_FD_FRAMES), HAS(CAN_RAW_FILTER), HAS(CAN_RAW_JOIN_FILTERS), HAS(CAN_RAW_LOOPBACK),
    HAS(CAN_RAW_RECV_OWN_MSGS), HAS(CAN_RTR_FLAG), HAS(CAN_SFF_MASK), HAS(EAGAIN), HAS(EAI_ADDRFAMILY),
    HAS(EAI_AGAIN), HAS(EAI_BADFLAGS), HAS(EAI_FAIL), HAS(EAI_FAMILY), HAS(EAI_MEMORY), HAS(EAI_NODATA),
    HAS(EAI_NONAME), HAS(EAI_OVERFLOW), HAS(EAI_SERVICE), HAS(EAI_SOCKTYPE), HAS(EAI_SYSTEM), HAS(EBADF),
    HAS(ETHERTYPE_ARP), HAS(ETHERTYPE_IP), HAS(ETHERTYPE_IPV6), HAS(ETHERTYPE_VLAN), HAS(ETH_P_ALL), HAS(EWOULDBLOCK),
    {"HCI_CHANNEL_CONTROL", 3}, {"HCI_CHANNEL_LOGGING", 4}, {"HCI_CHANNEL_MONITOR", 2}, {"HCI_CHANNEL_RAW", 0},
    {"HCI_CHANNEL_USER", 1}, {"HCI_DATA_DIR", 1}, {"HCI_DEV_NONE", 65535}, {"HCI_FILTER", 2}, {"HCI_TIME_STAMP", 3},
    HAS(INADDR_ALLHOSTS_GROUP), HAS(INADDR_ANY), HAS(INADDR_BROADCAST), HAS(INADDR_LOOPBACK),
    HAS(INADDR_MAX_LOCAL_GROUP), HAS(INADDR_NONE), HAS(INADDR_UNSPEC_GROUP), HAS(IOCTL_VM_SOCKETS_GET_LOCAL_CID),
    HAS(IPPORT_RESERVED), HAS(IPPORT_USERRESERVED), HAS(IPPROTO_AH), HAS(IPPROTO_DSTOPTS), HAS(IPPROTO_EGP),
    HAS(IPPROTO_ESP), HAS(IPPROTO_FRAGMENT), HAS(IPPROTO_GRE), HAS(IPPROTO_HOPOPTS), HAS(IPPROTO_ICMP),
    HAS(IPPROTO_ICMPV6), HAS(IPPROTO_IDP), HAS(IPPROTO_IGMP), HAS(IPPROTO_IP), HAS(IPPROTO_IPIP), HAS(IPPROTO_IPV6),
    HAS(IPPROTO_MPTCP), HAS(IPPROTO_NONE), HAS(IPPROTO_PIM), HAS(IPPROTO_PUP), HAS(IPPROTO_RAW), HAS(IPPROTO_ROUTING),
    HAS(IPPROTO_RSVP), HAS(IPPROTO_SCTP), HAS(IPPROTO_TCP), HAS(IPPROTO_TP), HAS(IPPROTO_UDP), HAS(IPPROTO_UDPLITE),
    HAS(IPV6_CHECKSUM), HAS(IPV6_DONTFRAG), HAS(IPV6_DSTOPTS), HAS(IPV6_HOPLIMIT), HAS(IPV6_HOPOPTS),
    HAS(IPV6_JOIN_GROUP), HAS(IPV6_LEAVE_GROUP), HAS(IPV6_MULTICAST_HOPS), HAS(IPV6_MULTICAST_IF),
    HAS(IPV6_MULTICAST_LOOP), HAS(IPV6_NEXTHOP), HAS(IPV6_PATHMTU), HAS(IPV6_PKTINFO), HAS(IPV6_RECVDSTOPTS),
    HAS(IPV6_RECVERR), HAS(IPV6_RECVHOPLIMIT), HAS(IPV6_RECVHOPOPTS), HAS(IPV6_RECVPATHMTU), HAS(IPV6_RECVPKTINFO),
    HAS(IPV6_RECVRTHDR), HAS(IPV6_RECVTCLASS), HAS(IPV6_RTHDR), HAS(IPV6_RTHDRDSTOPTS), HAS(IPV6_RTHDR_TYPE_0),
    HAS(IPV6_TCLASS), HAS(IPV6_UNICAST_HOPS), HAS(IPV6_V6ONLY), HAS(IP_ADD_MEMBERSHIP), HAS(IP_ADD_SOURCE_MEMBERSHIP),
    HAS(IP_BIND_ADDRESS_NO_PORT), HAS(IP_BLOCK_SOURCE), HAS(IP_DEFAULT_MULTICAST_LOOP), HAS(IP_DEFAULT_MULTICAST_TTL),
    HAS(IP_DROP_MEMBERSHIP), HAS(IP_DROP_SOURCE_MEMBERSHIP), HAS(IP_FREEBIND), HAS(IP_HDRINCL),
    HAS(IP_MAX_MEMBERSHIPS), HAS(IP_MULTICAST_IF), HAS(IP_MULTICAST_LOOP), HAS(IP_MULTICAST_TTL), HAS(IP_OPTIONS),
    HAS(IP_PKTINFO), HAS(IP_RECVERR), HAS(IP_RECVOPTS), HAS(IP_RECVORIGDSTADDR), HAS(IP_RECVRETOPTS), HAS(IP_RECVTOS),
    HAS(IP_RECVTTL), HAS(IP_RETOPTS), HAS(IP_TOS), HAS(IP_TRANSPARENT), HAS(IP_TTL), HAS(IP_UNBLOCK_SOURCE),
    HAS(J1939_EE_INFO_NONE), HAS(J1939_EE_INFO_TX_ABORT), HAS(J1939_FILTER_MAX), HAS(J1939_IDLE_ADDR),
    HAS(J1939_MAX_UNICAST_ADDR), HAS(J1939_NLA_BYTES_ACKED), HAS(J1939_NLA_PAD), HAS(J1939_NO_ADDR),
    HAS(J1939_NO_NAME), HAS(J1939_NO_PGN), HAS(J1939_PGN_ADDRESS_CLAIMED), HAS(J1939_PGN_ADDRESS_COMMANDED),
    HAS(J1939_PGN_MAX), HAS(J1939_PGN_PDU1_MAX), HAS(J1939_PGN_REQUEST), {"L2CAP_LM", 3}, {"L2CAP_LM_AUTH", 2},
    {"L2CAP_LM_ENCRYPT", 4}, {"L2CAP_LM_MASTER", 1}, {"L2CAP_LM_RELIABLE", 16}, {"L2CAP_LM_SECURE", 32},
    {"L2CAP_LM_TRUSTED", 8}, HAS(MSG_CMSG_CLOEXEC), HAS(MSG_CONFIRM), HAS(MSG_CTRUNC), HAS(MSG_DONTROUTE),
    HAS(MSG_DONTWAIT), HAS(MSG_EOR), HAS(MSG_ERRQUEUE), HAS(MSG_FASTOPEN), HAS(MSG_MORE), HAS(MSG_NOSIGNAL),
    HAS(MSG_NOTIFICATION), HAS(MSG_OOB), HAS(MSG_PEEK), HAS(MSG_TRUNC), HAS(MSG_WAITALL), HAS(NETLINK_CRYPTO),
    HAS(NETLINK_DNRTMSG), HAS(NETLINK_FIREWALL), HAS(NETLINK_IP6_FW), HAS(NETLINK_NFLOG), HAS(NETLINK_ROUTE),
    HAS(NETLINK_USERSOCK), HAS(NETLINK_XFRM), HAS(NI_DGRAM), HAS(NI_IDN), HAS(NI_MAXHOST), HAS(NI_MAXSERV),
    HAS(NI_NAMEREQD), HAS(NI_NOFQDN), HAS(NI_NUMERICHOST), HAS(NI_NUMERICSERV), HAS(PACKET_BROADCAST),
    HAS(PACKET_FASTROUTE), HAS(PACKET_HOST), HAS(PACKET_LOOPBACK), HAS(PACKET_MULTICAST), HAS(PACKET_OTHERHOST),
    HAS(PACKET_OUTGOING), HAS(PF_CAN), HAS(PF_PACKET), HAS(PF_RDS), HAS(RDS_CANCEL_SENT_TO), HAS(RDS_CMSG_RDMA_ARGS),
    HAS(RDS_CMSG_RDMA_DEST), HAS(RDS_CMSG_RDMA_MAP), HAS(RDS_CMSG_RDMA_STATUS), HAS(RDS_CONG_MONITOR),
    HAS(RDS_FREE_MR), HAS(RDS_GET_MR), HAS(RDS_GET_MR_FOR_DEST), HAS(RDS_RDMA_DONTWAIT), HAS(RDS_RDMA_FENCE),
    HAS(RDS_RDMA_INVALIDATE), HAS(RDS_RDMA_NOTIFY_ME), HAS(RDS_RDMA_READWRITE), HAS(RDS_RDMA_SILENT),
    HAS(RDS_RDMA_USE_ONCE), HAS(RDS_RECVERR), HAS(SCM_CREDENTIALS), HAS(SCM_J1939_DEST_ADDR),
    HAS(SCM_J1939_DEST_NAME), HAS(SCM_J1939_ERRQUEUE), HAS(SCM_J1939_PRIO), HAS(SCM_RIGHTS), HAS(SHUT_RD),
    HAS(SHUT_RDWR), HAS(SHUT_WR), HAS(SOCK_CLOEXEC), HAS(SOCK_DGRAM), HAS(SOCK_NONBLOCK), HAS(SOCK_RAW),
    HAS(SOCK_RDM), HAS(SOCK_SEQPACKET), HAS(SOCK_STREAM), HAS(SOL_ALG), {"SOL_ATALK", 258}, {"SOL_AX25", 257},
    HAS(SOL_BLUETOOTH), HAS(SOL_CAN_BASE), HAS(SOL_CAN_RAW), {"SOL_HCI", 0}, HAS(SOL_IP), {"SOL_IPX", 256},
    {"SOL_L2CAP", 6}, {"SOL_NETROM", 259}, HAS(SOL_RDS), {"SOL_RFCOMM", 18}, {"SOL_ROSE", 260}, {"SOL_SCO", 17},
    HAS(SOL_SOCKET), HAS(SOL_TCP), HAS(SOL_TIPC), HAS(SOL_UDP), HAS(SOMAXCONN), HAS(SO_ACCEPTCONN),
    HAS(SO_BINDTODEVICE), HAS(SO_BINDTOIFINDEX), HAS(SO_BROADCAST), HAS(SO_DEBUG), HAS(SO_DOMAIN), HAS(SO_DONTROUTE),
    HAS(SO_ERROR), HAS(SO_INCOMING_CPU), HAS(SO_J1939_ERRQUEUE), HAS(SO_J1939_FILTER), HAS(SO_J1939_PROMISC),
    HAS(SO_J1939_SEND_PRIO), HAS(SO_KEEPALIVE), HAS(SO_LINGER), HAS(SO_MARK), HAS(SO_OOBINLINE),
    {"SO_ORIGINAL_DST", 80}, HAS(SO_PASSCRED), HAS(SO_PASSSEC), HAS(SO_PEERCRED), HAS(SO_PEERSEC), HAS(SO_PRIORITY),
    HAS(SO_PROTOCOL), HAS(SO_RCVBUF), HAS(SO_RCVLOWAT), HAS(SO_RCVTIMEO), HAS(SO_REUSEADDR), HAS(SO_REUSEPORT),
    HAS(SO_SNDBUF), HAS(SO_SNDLOWAT), HAS(SO_SNDTIMEO), HAS(SO_TYPE), HAS(SO_VM_SOCKETS_BUFFER_MAX_SIZE),
    HAS(SO_VM_SOCKETS_BUFFER_MIN_SIZE), HAS(SO_VM_SOCKETS_BUFFER_SIZE), HAS(TCP_CC_INFO), HAS(TCP_CONGESTION),
    HAS(TCP_CORK), HAS(TCP_DEFER_ACCEPT), HAS(TCP_FASTOPEN), HAS(TCP_FASTOPEN_CONNECT), HAS(TCP_FASTOPEN_KEY),
    HAS(TCP_FASTOPEN_NO_COOKIE), HAS(TCP_INFO), HAS(TCP_INQ), HAS(TCP_KEEPCNT), HAS(TCP_KEEPIDLE), HAS(TCP_KEEPINTVL),
    HAS(TCP_LINGER2), HAS(TCP_MAXSEG), HAS(TCP_MD5SIG), HAS(TCP_MD5SIG_EXT), HAS(TCP_NODELAY), HAS(TCP_NOTSENT_LOWAT),
    HAS(TCP_QUEUE_SEQ), HAS(TCP_QUICKACK), HAS(TCP_REPAIR), HAS(TCP_REPAIR_OPTIONS), HAS(TCP_REPAIR_QUEUE),
    HAS(TCP_REPAIR_WINDOW), HAS(TCP_SAVED_SYN), HAS(TCP_SAVE_SYN), HAS(TCP_SYNCNT), HAS(TCP_THIN_DUPACK),
    HAS(TCP_THIN_LINEAR_TIMEOUTS), HAS(TCP_TIMESTAMP), HAS(TCP_TX_DELAY), HAS(TCP_ULP), HAS(TCP_USER_TIMEOUT),
    HAS(TCP_WINDOW_CLAMP), HAS(TCP_ZEROCOPY_RECEIVE), HAS(TIPC_ADDR_ID), HAS(TIPC_ADDR_NAME), HAS(TIPC_ADDR_NAMESEQ),
    HAS(TIPC_CFG_SRV), HAS(TIPC_CLUSTER_SCOPE), HAS(TIPC_CONN_TIMEOUT), HAS(TIPC_CRITICAL_IMPORTANCE),
    HAS(TIPC_DEST_DROPPABLE), HAS(TIPC_HIGH_IMPORTANCE), HAS(TIPC_IMPORTANCE), HAS(TIPC_LOW_IMPORTANCE),
    HAS(TIPC_MEDIUM_IMPORTANCE), HAS(TIPC_NODE_SCOPE), HAS(TIPC_PUBLISHED), HAS(TIPC_SRC_DROPPABLE),
    HAS(TIPC_SUBSCR_TIMEOUT), HAS(TIPC_SUB_CANCEL), HAS(TIPC_SUB_PORTS), HAS(TIPC_SUB_SERVICE), HAS(TIPC_TOP_SRV),
    HAS(TIPC_WAIT_FOREVER), HAS(TIPC_WITHDRAWN), HAS(TIPC_ZONE_SCOPE), {"UDPLITE_RECV_CSCOV", 11},
    {"UDPLITE_SEND_CSCOV", 10}, {"VMADDR_CID_ANY", 0xffffffff}, HAS(VMADDR_CID_HOST), HAS(VMADDR_CID_LOCAL),
    {"VMADDR_PORT_ANY", 0xffffffff}, {"VM_SOCKETS_INVALID_VERSION", 0xffffffff},
};
// clang-format on

void check_known(Span<const Known> known) {
  for (const Known &one : known) {
    CAPTURE(one.name);
    const Constant *found = find_constant(one.name);
    REQUIRE(found != nullptr);
    CHECK(found->value == one.value);
  }
}

std::string group_of(const char *name) {
  const Constant *found = find_constant(name);
  REQUIRE(found != nullptr);
  const TextView group = found->group();
  return {group.data(), group.size()};
}

std::string name_of(const char *group, long long value) { return constant_name(group, value); }

} // namespace

TEST_SUITE_BEGIN("constant");

TEST_CASE("the constants of other runtimes are there, with the numbers of the headers") {
  SUBCASE("ucode's socket") {
    CHECK(std::size(ucode) == 211);
    check_known(ucode);
  }
  SUBCASE("sjs's net and io.poll") { check_known(sjs); }
  SUBCASE("Python's socket") { check_known(python); }
}

TEST_CASE("the table is sorted, and each row is found by its name") {
  std::string previous;
  for (const Constant &constant : constants()) {
    CAPTURE(constant.name);
    CHECK(previous < constant.name);
    previous = constant.name;
    CHECK(find_constant(constant.name) == &constant);
    CHECK(find_constant(std::string(constant.name) + "_") == nullptr);
  }
  CHECK(constants().size() > 1500);
}

TEST_CASE("names that are none") {
  for (const char *name : {"", "A", "AF", "AF_", "AF_INE", "AF_INET7", "af_inet", "ZZZ", "0"})
    CHECK(find_constant(name) == nullptr);
  CHECK(find_constant({"AF_INET\0", 8}) == nullptr);
  CHECK(find_constant({"AF_INET6 junk", 8})->value == AF_INET6);
}

TEST_CASE("constants of a prefix are a run of the table") {
  CHECK(constants("").size() == constants().size());
  CHECK(constants("").data() == constants().data());
  for (const char *prefix : {"AF_", "SO_", "MSG_", "IPV6_", "E", "SO_EE_", "AF_INET", "XDP_"}) {
    CAPTURE(prefix);
    std::set<std::string> there;
    for (const Constant &constant : constants(prefix))
      there.insert(constant.name);
    CHECK(there.size() == constants(prefix).size());
    CHECK_FALSE(there.empty());
    for (const Constant &constant : constants())
      CHECK(there.contains(constant.name) == std::string(constant.name).starts_with(prefix));
  }
  CHECK(constants("AF_INET").size() == 2);
  CHECK(constants("AF_INET6").size() == 1);
  for (const char *prefix : {"AF_INET6_", "0", "a", "MSG_PEEK ", "ZZ"})
    CHECK(constants(prefix).empty());
  CHECK(constants({"AF_\0", 4}).empty());
}

TEST_CASE("errors are those of error_names, with the numbers of the C library") {
  std::size_t errors = 0;
  for (const ErrorName &row : error_names()) {
    CAPTURE(row.name);
    const Constant *found = find_constant(row.name);
    REQUIRE(found != nullptr);
    CHECK(found->canonical == row.canonical);
    const bool gai = std::string(row.name).starts_with("EAI_");
    CHECK(group_of(row.name) == (gai ? "EAI_" : "E"));
    CHECK((gai && found->value > 0 ? -found->value : found->value) == error_number(row.name));
    ++errors;
  }
  for (const Constant &constant : constants("E"))
    errors -= constant.group() == "E" || constant.group() == "EAI_";
  CHECK(errors == 0);
  CHECK(find_constant("EAI_NONAME")->value == EAI_NONAME);
  CHECK(name_of("E", ENOENT) == "ENOENT");
  CHECK(name_of("E", EWOULDBLOCK) == "EAGAIN");
  CHECK(name_of("EAI_", EAI_AGAIN) == "EAI_AGAIN");
}

TEST_CASE("in a group each number has one canonical name") {
  std::map<std::string, std::map<long long, std::string>> groups;
  for (const Constant &constant : constants()) {
    CAPTURE(constant.name);
    const std::string group = group_of(constant.name);
    CHECK(std::string(constant.name).starts_with(group));
    if (group.empty())
      CHECK(constant.canonical);
    else if (constant.canonical)
      CHECK(groups[group].emplace(constant.value, constant.name).second);
  }
  for (const Constant &constant : constants())
    if (constant.group_length != 0) {
      CAPTURE(constant.name);
      const std::string &name = groups[group_of(constant.name)].at(constant.value);
      CHECK(constant_name(constant.group(), constant.value) == name);
      CHECK((name == constant.name) == constant.canonical);
    }
  CHECK(groups.size() > 100);
}

TEST_CASE("second names") {
  struct {
    const char *group;
    const char *canonical;
    const char *other;
  } rows[] = {{"AF_", "AF_UNIX", "AF_LOCAL"},
              {"AF_", "AF_NETLINK", "AF_ROUTE"},
              {"PF_", "PF_UNIX", "PF_LOCAL"},
              {"IPPROTO_", "IPPROTO_IP", "IPPROTO_HOPOPTS"},
              {"MSG_", "MSG_DONTROUTE", "MSG_TRYHARD"},
              {"SOL_", "SOL_TCP", "SOL_L2CAP"},
              {"SO_", "SO_ATTACH_FILTER", "SO_GET_FILTER"},
              {"SO_", "SO_DETACH_BPF", "SO_DETACH_FILTER"},
              {"IPV6_", "IPV6_ADD_MEMBERSHIP", "IPV6_JOIN_GROUP"},
              {"PACKET_", "PACKET_USER", "PACKET_FASTROUTE"}};
  for (auto [group, canonical, other] : rows) {
    CAPTURE(other);
    REQUIRE(find_constant(canonical) != nullptr);
    REQUIRE(find_constant(other) != nullptr);
    CHECK(find_constant(canonical)->canonical);
    CHECK_FALSE(find_constant(other)->canonical);
    CHECK(find_constant(canonical)->value == find_constant(other)->value);
    CHECK(name_of(group, find_constant(other)->value) == canonical);
  }
}

TEST_CASE("a number has its name in its group, and nowhere else") {
  CHECK(name_of("AF_", AF_INET6) == "AF_INET6");
  CHECK(name_of("SOCK_", SOCK_SEQPACKET) == "SOCK_SEQPACKET");
  CHECK(name_of("SHUT_", SHUT_RD) == "SHUT_RD");
  CHECK(name_of("VMADDR_CID_", 0xffffffff) == "VMADDR_CID_ANY");
  CHECK(name_of("TCP_REPAIR_", -1) == "TCP_REPAIR_OFF_NO_WP");
  CHECK(name_of("AF_", 12345) == "");
  CHECK(name_of("AF_", -1) == "");

  // The shorter prefix does not have what a longer one has, nor options of another level.
  CHECK(name_of("SO_", SO_REUSEADDR) == "SO_REUSEADDR");
  CHECK(name_of("SO_EE_ORIGIN_", SO_EE_ORIGIN_ICMP) == "SO_EE_ORIGIN_ICMP");
  CHECK(name_of("SO_VM_SOCKETS_", SO_VM_SOCKETS_BUFFER_SIZE) == "SO_VM_SOCKETS_BUFFER_SIZE");
  for (const Constant &constant : constants("SO_"))
    if (constant.group() == "SO_")
      CHECK_FALSE(std::string(constant.name).starts_with("SO_EE_"));
  CHECK(group_of("SO_ORIGINAL_DST") == "");
  CHECK(name_of("SO_", 80).find("ORIGINAL_DST") == std::string::npos);
  CHECK(name_of("IP_PMTUDISC_", IP_PMTUDISC_DO) == "IP_PMTUDISC_DO");
  CHECK(name_of("IP_", IP_TTL) == "IP_TTL");
  CHECK(name_of("MCAST_", 42) == "MCAST_JOIN_GROUP");

  // Values and options with the same prefix: the values.
  CHECK(name_of("TCP_", TCP_ESTABLISHED) == "TCP_ESTABLISHED");
  CHECK(group_of("TCP_NODELAY") == "");
  CHECK(name_of("TCP_", TCP_FASTOPEN) == "");
  CHECK(name_of("PACKET_", PACKET_BROADCAST) == "PACKET_BROADCAST");
  CHECK(name_of("NETLINK_", NETLINK_GENERIC) == "NETLINK_GENERIC");

  // Limits and masks name nothing, and what is no group has nothing.
  CHECK(name_of("NI_", NI_MAXSERV) == "NI_IDN");
  CHECK(group_of("NI_MAXSERV") == "");
  for (const char *group : {"", "A", "AF", "AF_INET", "SO_EE_", "IN", "ZZ"}) {
    CAPTURE(group);
    for (long long value : {0, 1, 2, 16})
      CHECK(name_of(group, value) == "");
  }
}

TEST_CASE("flags") {
  CHECK(flag_names("MSG_", MSG_PEEK) == "MSG_PEEK");
  CHECK(flag_names("MSG_", MSG_DONTWAIT | MSG_PEEK) == "MSG_PEEK|MSG_DONTWAIT");
  CHECK(flag_names("AI_", AI_PASSIVE | AI_ADDRCONFIG) == "AI_PASSIVE|AI_ADDRCONFIG");
  CHECK(flag_names("POLL", POLLIN | POLLHUP) == "POLLIN|POLLHUP");
  CHECK(flag_names("MSG_", 0) == "0");
  CHECK(flag_names("AF_", 0) == "0");

  // No name: last, as one number.
  CHECK(flag_names("MSG_", 0x00800000) == "0x800000");
  CHECK(flag_names("MSG_", MSG_PEEK | 0x00800000 | MSG_ZEROCOPY) == "MSG_PEEK|MSG_ZEROCOPY|0x800000");
  CHECK(flag_names("MSG_", 0x00a00000) == "0xa00000");
  CHECK(flag_names("MSG_", 0x100000002) == "MSG_PEEK|0x100000000");
  for (const char *group : {"", "MSG", "MSG_PEEK", "nothing"})
    CHECK(flag_names(group, 3) == "0x3");

  // A negative int has 32 bits.
  CHECK(flag_names("MSG_", INT_MIN | MSG_OOB) == "MSG_OOB|0x80000000");
  CHECK(flag_names("SHUT_", -4) == "0xfffffffc");
  CHECK(flag_names("MSG_", LLONG_MIN | MSG_OOB) == "MSG_OOB|0x8000000000000000");

  // An enumeration in some of the bits.
  CHECK(flag_names("SOCK_", SOCK_STREAM) == "SOCK_STREAM");
  CHECK(flag_names("SOCK_", SOCK_RAW | SOCK_CLOEXEC) == "SOCK_RAW|SOCK_CLOEXEC");
  CHECK(flag_names("SOCK_", SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC) ==
        "SOCK_SEQPACKET|SOCK_NONBLOCK|SOCK_CLOEXEC");
  CHECK(flag_names("SOCK_", 7 | SOCK_CLOEXEC) == "SOCK_CLOEXEC|0x7");
  CHECK(flag_names("AF_", AF_INET6) == "AF_INET6");

  // Second names, masks and limits are not printed.
  CHECK(flag_names("MSG_", MSG_DONTROUTE | MSG_MORE) == "MSG_DONTROUTE|MSG_MORE");
  CHECK(flag_names("XDP_FLAGS_", XDP_FLAGS_DRV_MODE | XDP_FLAGS_HW_MODE) == "XDP_FLAGS_DRV_MODE|XDP_FLAGS_HW_MODE");
}

TEST_CASE("all flags of a group fit") {
  for (const char *group : {"MSG_", "SOF_TIMESTAMPING_", "AI_", "NI_", "POLL", "RTMGRP_", "IPV6_PREFER_SRC_",
                            "TP_STATUS_", "CAN_ISOTP_", "BT_PHY_"}) {
    CAPTURE(group);
    std::map<long long, std::string> flags;
    for (const Constant &constant : constants(group))
      if (constant.canonical && constant.group() == group && constant.value != 0)
        flags[constant.value] = constant.name;
    std::string names; // by value, which is by bit
    unsigned long long rest = ~0ULL;
    for (const auto &[value, name] : flags) {
      names += name + "|";
      rest &= ~static_cast<unsigned long long>(value);
    }
    rest &= ~(1ULL << 63); // not all ones, which would be the int -1
    char number[32];
    std::snprintf(number, sizeof number, "%#llx", rest);
    CHECK(flag_names(group, LLONG_MAX) == TextView(names + number));
  }
}

TEST_CASE("addresses") {
  REQUIRE(address_constants().size() == 2);
  const AddressConstant &any = address_constants()[0];
  const AddressConstant &loopback = address_constants()[1];
  CHECK(std::string(any.name) == "IN6ADDR_ANY");
  CHECK(std::memcmp(&any.value, &in6addr_any, sizeof any.value) == 0);
  CHECK(std::string(loopback.name) == "IN6ADDR_LOOPBACK");
  CHECK(std::memcmp(&loopback.value, &in6addr_loopback, sizeof loopback.value) == 0);
}

TEST_CASE("limits") {
  CHECK(find_constant("UNIX_PATH_MAX")->value == 108);
  CHECK(find_constant("IFNAMSIZ")->value == IFNAMSIZ);
  CHECK(find_constant("SCM_MAX_FD")->value == 253);
  CHECK(find_constant("INET6_ADDRSTRLEN")->value == INET6_ADDRSTRLEN);
  CHECK(find_constant("SOMAXCONN")->value == SOMAXCONN);
  CHECK(find_constant("XDP_UMEM_PGOFF_COMPLETION_RING")->value == 0x180000000LL); // no int holds it
}

TEST_SUITE_END();
