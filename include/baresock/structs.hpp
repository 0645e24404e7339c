// SPDX-License-Identifier: MIT
/// The kernel's structs of options and control messages, with the kernel's names and members in their newest layout:
/// its own headers cannot all be included together with the C library's. Those of <sys/socket.h> and <netinet/in.h>
/// are taken from there. Plain data; {} is all zeros.

#pragma once

#include <cstdint>
#include <netinet/in.h>
#include <sys/socket.h>

namespace baresock {

inline namespace kernel {

/// SCM_DEVMEM_DMABUF, SCM_DEVMEM_LINEAR; linux/uio.h
struct dmabuf_cmsg {
  std::uint64_t frag_offset;
  std::uint32_t frag_size;
  std::uint32_t frag_token;
  std::uint32_t dmabuf_id;
  std::uint32_t flags;
};

/// SO_DEVMEM_DONTNEED; linux/uio.h
struct dmabuf_token {
  std::uint32_t token_start;
  std::uint32_t token_count;
};

/// ICMP_FILTER; raw(7), linux/icmp.h
struct icmp_filter {
  std::uint32_t data;
};

/// SCM_TIMESTAMPING_PKTINFO; linux/net_tstamp.h
struct scm_ts_pktinfo {
  std::uint32_t if_index;
  std::uint32_t pkt_length;
  std::uint32_t reserved[2];
};

/// SO_MEMINFO; the SK_MEMINFO_ indices of linux/sock_diag.h, an array without a struct in the kernel
struct sk_meminfo {
  std::uint32_t rmem_alloc;
  std::uint32_t rcvbuf;
  std::uint32_t wmem_alloc;
  std::uint32_t sndbuf;
  std::uint32_t fwd_alloc;
  std::uint32_t wmem_queued;
  std::uint32_t optmem;
  std::uint32_t backlog;
  std::uint32_t drops;
};

/// SO_TIMESTAMPING; linux/net_tstamp.h
struct so_timestamping {
  std::int32_t flags;
  std::int32_t bind_phc; // since Linux 5.14
};

/// IP_RECVERR, IPV6_RECVERR and other errors; ip(7), linux/errqueue.h
struct sock_extended_err {
  std::uint32_t ee_errno;
  std::uint8_t ee_origin; // SO_EE_ORIGIN_
  std::uint8_t ee_type;
  std::uint8_t ee_code;
  std::uint8_t ee_pad;
  std::uint32_t ee_info;
  std::uint32_t ee_data;
};

/// SO_TXTIME; linux/net_tstamp.h
struct sock_txtime {
  std::int32_t clockid;
  std::uint32_t flags;
};

/// IPV6_FLOWLABEL_MGR, linux/in6.h. The label is in network byte order.
struct in6_flowlabel_req {
  in6_addr flr_dst;
  std::uint32_t flr_label;
  std::uint8_t flr_action; // IPV6_FL_A_
  std::uint8_t flr_share;  // IPV6_FL_S_
  std::uint16_t flr_flags; // IPV6_FL_F_
  std::uint16_t flr_expires;
  std::uint16_t flr_linger;
  std::uint32_t flr_pad;
};

/// ICMP6_FILTER, ICMPV6_FILTER, RFC 3542: a bit for each type, set to block it. The member is named as the
/// macros ICMP6_FILTER_SETPASS … of netinet/icmp6.h want it.
struct icmp6_filter {
  std::uint32_t icmp6_filt[8];
};

/// TCP_INFO, tcp(7).
struct tcp_info {
  std::uint8_t tcpi_state;
  std::uint8_t tcpi_ca_state;
  std::uint8_t tcpi_retransmits;
  std::uint8_t tcpi_probes;
  std::uint8_t tcpi_backoff;
  std::uint8_t tcpi_options;
  std::uint8_t tcpi_snd_wscale : 4, tcpi_rcv_wscale : 4;
  std::uint8_t tcpi_delivery_rate_app_limited : 1, tcpi_fastopen_client_fail : 2;
  std::uint32_t tcpi_rto;
  std::uint32_t tcpi_ato;
  std::uint32_t tcpi_snd_mss;
  std::uint32_t tcpi_rcv_mss;
  std::uint32_t tcpi_unacked;
  std::uint32_t tcpi_sacked;
  std::uint32_t tcpi_lost;
  std::uint32_t tcpi_retrans;
  std::uint32_t tcpi_fackets;
  std::uint32_t tcpi_last_data_sent;
  std::uint32_t tcpi_last_ack_sent;
  std::uint32_t tcpi_last_data_recv;
  std::uint32_t tcpi_last_ack_recv;
  std::uint32_t tcpi_pmtu;
  std::uint32_t tcpi_rcv_ssthresh;
  std::uint32_t tcpi_rtt;
  std::uint32_t tcpi_rttvar;
  std::uint32_t tcpi_snd_ssthresh;
  std::uint32_t tcpi_snd_cwnd;
  std::uint32_t tcpi_advmss;
  std::uint32_t tcpi_reordering;
  std::uint32_t tcpi_rcv_rtt;
  std::uint32_t tcpi_rcv_space;
  std::uint32_t tcpi_total_retrans;
  std::uint64_t tcpi_pacing_rate;
  std::uint64_t tcpi_max_pacing_rate;
  std::uint64_t tcpi_bytes_acked;
  std::uint64_t tcpi_bytes_received;
  std::uint32_t tcpi_segs_out;
  std::uint32_t tcpi_segs_in;
  std::uint32_t tcpi_notsent_bytes;
  std::uint32_t tcpi_min_rtt;
  std::uint32_t tcpi_data_segs_in;
  std::uint32_t tcpi_data_segs_out;
  std::uint64_t tcpi_delivery_rate;
  std::uint64_t tcpi_busy_time;
  std::uint64_t tcpi_rwnd_limited;
  std::uint64_t tcpi_sndbuf_limited;
  std::uint32_t tcpi_delivered;
  std::uint32_t tcpi_delivered_ce;
  std::uint64_t tcpi_bytes_sent;
  std::uint64_t tcpi_bytes_retrans;
  std::uint32_t tcpi_dsack_dups;
  std::uint32_t tcpi_reord_seen;
  std::uint32_t tcpi_rcv_ooopack;
  std::uint32_t tcpi_snd_wnd;
  std::uint32_t tcpi_rcv_wnd;
  std::uint32_t tcpi_rehash;
  std::uint16_t tcpi_total_rto;
  std::uint16_t tcpi_total_rto_recoveries;
  std::uint32_t tcpi_total_rto_time;
  std::uint32_t tcpi_received_ce;
  std::uint32_t tcpi_delivered_e1_bytes;
  std::uint32_t tcpi_delivered_e0_bytes;
  std::uint32_t tcpi_delivered_ce_bytes;
  std::uint32_t tcpi_received_e1_bytes;
  std::uint32_t tcpi_received_e0_bytes;
  std::uint32_t tcpi_received_ce_bytes;
  std::uint16_t tcpi_accecn_fail_mode; // Linux 6.18; newer kernels keep
  std::uint16_t tcpi_accecn_opt_seen;  // other bits in these four bytes
};

/// TCP_MD5SIG, TCP_MD5SIG_EXT, tcp(7).
struct tcp_md5sig {
  sockaddr_storage tcpm_addr;
  std::uint8_t tcpm_flags; // TCP_MD5SIG_FLAG_
  std::uint8_t tcpm_prefixlen;
  std::uint16_t tcpm_keylen;
  std::int32_t tcpm_ifindex;
  std::uint8_t tcpm_key[80];
};

/// TCP_REPAIR_OPTIONS, linux/tcp.h.
struct tcp_repair_opt {
  std::uint32_t opt_code; // TCPOPT_
  std::uint32_t opt_val;
};

/// TCP_REPAIR_WINDOW, linux/tcp.h.
struct tcp_repair_window {
  std::uint32_t snd_wl1;
  std::uint32_t snd_wnd;
  std::uint32_t max_window;
  std::uint32_t rcv_wnd;
  std::uint32_t rcv_wup;
};

/// TCP_ZEROCOPY_RECEIVE, linux/tcp.h. Addresses are those of the caller's memory.
struct tcp_zerocopy_receive {
  std::uint64_t address;
  std::uint32_t length;
  std::uint32_t recv_skip_hint;
  std::uint32_t inq;
  std::int32_t err;
  std::uint64_t copybuf_address;
  std::int32_t copybuf_len;
  std::uint32_t flags; // TCP_RECEIVE_ZEROCOPY_FLAG_
  std::uint64_t msg_control;
  std::uint64_t msg_controllen;
  std::uint32_t msg_flags;
  std::uint32_t reserved;
};

/// TCP_AO_ADD_KEY, linux/tcp.h.
struct alignas(8) tcp_ao_add {
  sockaddr_storage addr;
  char alg_name[64];
  std::int32_t ifindex;
  std::uint32_t set_current : 1, set_rnext : 1, reserved : 30;
  std::uint16_t reserved2;
  std::uint8_t prefix;
  std::uint8_t sndid;
  std::uint8_t rcvid;
  std::uint8_t maclen;
  std::uint8_t keyflags; // TCP_AO_KEYF_
  std::uint8_t keylen;
  std::uint8_t key[80];
};

/// TCP_AO_DEL_KEY, linux/tcp.h.
struct alignas(8) tcp_ao_del {
  sockaddr_storage addr;
  std::int32_t ifindex;
  std::uint32_t set_current : 1, set_rnext : 1, del_async : 1, reserved : 29;
  std::uint16_t reserved2;
  std::uint8_t prefix;
  std::uint8_t sndid;
  std::uint8_t rcvid;
  std::uint8_t current_key;
  std::uint8_t rnext;
  std::uint8_t keyflags; // TCP_AO_KEYF_
};

/// TCP_AO_INFO, linux/tcp.h.
struct alignas(8) tcp_ao_info_opt {
  std::uint32_t set_current : 1, set_rnext : 1, ao_required : 1, set_counters : 1, accept_icmps : 1, reserved : 27;
  std::uint16_t reserved2;
  std::uint8_t current_key;
  std::uint8_t rnext;
  std::uint64_t pkt_good;
  std::uint64_t pkt_bad;
  std::uint64_t pkt_key_not_found;
  std::uint64_t pkt_ao_required;
  std::uint64_t pkt_dropped_icmp;
};

/// TCP_AO_GET_KEYS, linux/tcp.h.
struct alignas(8) tcp_ao_getsockopt {
  sockaddr_storage addr;
  char alg_name[64];
  std::uint8_t key[80];
  std::uint32_t nkeys;
  std::uint16_t is_current : 1, is_rnext : 1, get_all : 1, reserved : 13;
  std::uint8_t sndid;
  std::uint8_t rcvid;
  std::uint8_t prefix;
  std::uint8_t maclen;
  std::uint8_t keyflags; // TCP_AO_KEYF_
  std::uint8_t keylen;
  std::int32_t ifindex;
  std::uint64_t pkt_good;
  std::uint64_t pkt_bad;
};

/// TCP_AO_REPAIR, linux/tcp.h. The initial sequence numbers are in network byte order.
struct alignas(8) tcp_ao_repair {
  std::uint32_t snt_isn;
  std::uint32_t rcv_isn;
  std::uint32_t snd_sne;
  std::uint32_t rcv_sne;
};

/// MPTCP_INFO, linux/mptcp.h.
struct mptcp_info {
  std::uint8_t mptcpi_subflows;
  std::uint8_t mptcpi_add_addr_signal;
  std::uint8_t mptcpi_add_addr_accepted;
  std::uint8_t mptcpi_subflows_max;
  std::uint8_t mptcpi_add_addr_signal_max;
  std::uint8_t mptcpi_add_addr_accepted_max;
  std::uint32_t mptcpi_flags; // MPTCP_INFO_FLAG_
  std::uint32_t mptcpi_token;
  std::uint64_t mptcpi_write_seq;
  std::uint64_t mptcpi_snd_una;
  std::uint64_t mptcpi_rcv_nxt;
  std::uint8_t mptcpi_local_addr_used;
  std::uint8_t mptcpi_local_addr_max;
  std::uint8_t mptcpi_csum_enabled;
  std::uint32_t mptcpi_retransmits;
  std::uint64_t mptcpi_bytes_retrans;
  std::uint64_t mptcpi_bytes_sent;
  std::uint64_t mptcpi_bytes_received;
  std::uint64_t mptcpi_bytes_acked;
  std::uint8_t mptcpi_subflows_total;
  std::uint8_t mptcpi_endp_laminar_max;
  std::uint8_t reserved[2];
  std::uint32_t mptcpi_last_data_sent;
  std::uint32_t mptcpi_last_data_recv;
  std::uint32_t mptcpi_last_ack_recv;
};

/// MPTCP_TCPINFO, MPTCP_SUBFLOW_ADDRS, linux/mptcp.h: what stands before the elements, a tcp_info or a
/// mptcp_subflow_addrs for each subflow.
struct alignas(8) mptcp_subflow_data {
  std::uint32_t size_subflow_data; // of this struct
  std::uint32_t num_subflows;
  std::uint32_t size_kernel;
  std::uint32_t size_user; // of an element
};

/// MPTCP_SUBFLOW_ADDRS, linux/mptcp.h. Of its unions the member that holds any family.
struct mptcp_subflow_addrs {
  sockaddr_storage ss_local;
  sockaddr_storage ss_remote;
};

/// MPTCP_FULL_INFO, linux/mptcp.h: an element of the array at subflow_info.
struct mptcp_subflow_info {
  std::uint32_t id;
  mptcp_subflow_addrs addrs;
};

/// MPTCP_FULL_INFO, linux/mptcp.h. subflow_info and tcp_info are addresses of the caller's arrays.
struct mptcp_full_info {
  std::uint32_t size_tcpinfo_kernel;
  std::uint32_t size_tcpinfo_user;
  std::uint32_t size_sfinfo_kernel;
  std::uint32_t size_sfinfo_user;
  std::uint32_t num_subflows;
  std::uint32_t size_arrays_user;
  alignas(8) std::uint64_t subflow_info;
  alignas(8) std::uint64_t tcp_info;
  baresock::mptcp_info mptcp_info;
};

/// TLS_TX, TLS_RX, linux/tls.h: how each of the tls12_crypto_info_ structs begins.
struct tls_crypto_info {
  std::uint16_t version;     // TLS_1_2_VERSION, TLS_1_3_VERSION
  std::uint16_t cipher_type; // TLS_CIPHER_
};

/// TLS_TX, TLS_RX, linux/tls.h.
struct tls12_crypto_info_aes_gcm_128 {
  tls_crypto_info info;
  unsigned char iv[8];
  unsigned char key[16];
  unsigned char salt[4];
  unsigned char rec_seq[8];
};

/// TLS_TX, TLS_RX, linux/tls.h.
struct tls12_crypto_info_aes_gcm_256 {
  tls_crypto_info info;
  unsigned char iv[8];
  unsigned char key[32];
  unsigned char salt[4];
  unsigned char rec_seq[8];
};

/// TLS_TX, TLS_RX, linux/tls.h.
struct tls12_crypto_info_aes_ccm_128 {
  tls_crypto_info info;
  unsigned char iv[8];
  unsigned char key[16];
  unsigned char salt[4];
  unsigned char rec_seq[8];
};

/// TLS_TX, TLS_RX, linux/tls.h. Its salt is empty.
struct tls12_crypto_info_chacha20_poly1305 {
  tls_crypto_info info;
  unsigned char iv[12];
  unsigned char key[32];
  unsigned char rec_seq[8];
};

/// TLS_TX, TLS_RX, linux/tls.h.
struct tls12_crypto_info_sm4_gcm {
  tls_crypto_info info;
  unsigned char iv[8];
  unsigned char key[16];
  unsigned char salt[4];
  unsigned char rec_seq[8];
};

/// TLS_TX, TLS_RX, linux/tls.h.
struct tls12_crypto_info_sm4_ccm {
  tls_crypto_info info;
  unsigned char iv[8];
  unsigned char key[16];
  unsigned char salt[4];
  unsigned char rec_seq[8];
};

/// TLS_TX, TLS_RX, linux/tls.h.
struct tls12_crypto_info_aria_gcm_128 {
  tls_crypto_info info;
  unsigned char iv[8];
  unsigned char key[16];
  unsigned char salt[4];
  unsigned char rec_seq[8];
};

/// TLS_TX, TLS_RX, linux/tls.h.
struct tls12_crypto_info_aria_gcm_256 {
  tls_crypto_info info;
  unsigned char iv[8];
  unsigned char key[32];
  unsigned char salt[4];
  unsigned char rec_seq[8];
};

/// CAN_RAW_FILTER, linux/can.h.
struct can_filter {
  std::uint32_t can_id;
  std::uint32_t can_mask;
};

/// CAN_ISOTP_RECV_FC, linux/can/isotp.h.
struct can_isotp_fc_options {
  std::uint8_t bs;
  std::uint8_t stmin;
  std::uint8_t wftmax;
};

/// CAN_ISOTP_LL_OPTS, linux/can/isotp.h.
struct can_isotp_ll_options {
  std::uint8_t mtu;
  std::uint8_t tx_dl;
  std::uint8_t tx_flags;
};

/// CAN_ISOTP_OPTS, linux/can/isotp.h.
struct can_isotp_options {
  std::uint32_t flags;
  std::uint32_t frame_txtime;
  std::uint8_t ext_address;
  std::uint8_t txpad_content;
  std::uint8_t rxpad_content;
  std::uint8_t rx_ext_address;
};

/// CAN_RAW_XL_VCID_OPTS, linux/can/raw.h.
struct can_raw_vcid_options {
  std::uint8_t flags;
  std::uint8_t tx_vcid;
  std::uint8_t rx_vcid;
  std::uint8_t rx_vcid_mask;
};

/// PACKET_FANOUT, packet(7).
struct fanout_args {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  std::uint16_t id;
  std::uint16_t type_flags;
#else
  std::uint16_t type_flags;
  std::uint16_t id;
#endif
  std::uint32_t max_num_members;
};

/// SO_J1939_FILTER, linux/can/j1939.h.
struct j1939_filter {
  std::uint64_t name;
  std::uint64_t name_mask;
  std::uint32_t pgn;
  std::uint32_t pgn_mask;
  std::uint8_t addr;
  std::uint8_t addr_mask;
};

/// LLC_OPT_PKTINFO, linux/llc.h.
struct llc_pktinfo {
  int lpi_ifindex;
  unsigned char lpi_sap;
  unsigned char lpi_mac[6];
};

/// NETLINK_PKTINFO, netlink(7).
struct nl_pktinfo {
  std::uint32_t group;
};

/// PACKET_ADD_MEMBERSHIP, PACKET_DROP_MEMBERSHIP, packet(7).
struct packet_mreq {
  int mr_ifindex;
  std::uint16_t mr_type;
  std::uint16_t mr_alen;
  std::uint8_t mr_address[8];
};

/// A part of rds_get_mr_args and rds_get_mr_for_dest_args, linux/rds.h.
struct rds_iovec {
  std::uint64_t addr;
  std::uint64_t bytes;
};

/// RDS_CMSG_ATOMIC_ and RDS_CMSG_MASKED_ATOMIC_, linux/rds.h. Of its unions the longest member: of the FADD kinds,
/// compare is what is added, and swap nocarry_mask.
struct rds_atomic_args {
  std::uint64_t cookie;
  std::uint64_t local_addr;
  std::uint64_t remote_addr;
  std::uint64_t compare;
  std::uint64_t swap;
  std::uint64_t compare_mask;
  std::uint64_t swap_mask;
  std::uint64_t flags; // RDS_RDMA_
  std::uint64_t user_token;
};

/// RDS_CMSG_RXPATH_LATENCY, linux/rds.h.
struct rds_cmsg_rx_trace {
  std::uint8_t rx_traces;
  std::uint8_t rx_trace_pos[3];
  std::uint64_t rx_trace[3];
};

/// RDS_FREE_MR, linux/rds.h.
struct rds_free_mr_args {
  std::uint64_t cookie;
  std::uint64_t flags;
};

/// RDS_GET_MR, RDS_CMSG_RDMA_MAP, linux/rds.h.
struct rds_get_mr_args {
  rds_iovec vec;
  std::uint64_t cookie_addr;
  std::uint64_t flags;
};

/// RDS_GET_MR_FOR_DEST, linux/rds.h.
struct rds_get_mr_for_dest_args {
  sockaddr_storage dest_addr;
  rds_iovec vec;
  std::uint64_t cookie_addr;
  std::uint64_t flags;
};

/// RDS_CMSG_RDMA_ARGS, linux/rds.h. local_vec_addr is the address of the caller's array of rds_iovec.
struct rds_rdma_args {
  std::uint64_t cookie;
  rds_iovec remote_vec;
  std::uint64_t local_vec_addr;
  std::uint64_t nr_local;
  std::uint64_t flags; // RDS_RDMA_
  std::uint64_t user_token;
};

/// RDS_CMSG_RDMA_STATUS, linux/rds.h.
struct rds_rdma_notify {
  std::uint64_t user_token;
  std::int32_t status; // RDS_RDMA_SUCCESS …
};

/// SO_RDS_MSG_RXPATH_LATENCY, linux/rds.h.
struct rds_rx_trace_so {
  std::uint8_t rx_traces;
  std::uint8_t rx_trace_pos[3];
};

/// RDS_CMSG_ZCOPY_COMPLETION, linux/rds.h.
struct rds_zcopy_cookies {
  std::uint32_t num;
  std::uint32_t cookies[8];
};

/// A part of rxgk_challenge, linux/rxrpc.h.
struct rxrpc_challenge {
  std::uint16_t service_id;
  std::uint8_t security_index; // RXRPC_SECURITY_
  std::uint8_t pad;
};

/// RXRPC_CHALLENGED, linux/rxrpc.h.
struct rxgk_challenge {
  rxrpc_challenge base;
  std::uint32_t enctype;
};

/// SCTP_ADD_STREAMS, RFC 6525, linux/sctp.h.
struct sctp_add_streams {
  std::int32_t sas_assoc_id;
  std::uint16_t sas_instrms;
  std::uint16_t sas_outstrms;
};

/// SCTP_GET_ASSOC_STATS, linux/sctp.h.
struct sctp_assoc_stats {
  std::int32_t sas_assoc_id;
  sockaddr_storage sas_obs_rto_ipaddr;
  std::uint64_t sas_maxrto;
  std::uint64_t sas_isacks;
  std::uint64_t sas_osacks;
  std::uint64_t sas_opackets;
  std::uint64_t sas_ipackets;
  std::uint64_t sas_rtxchunks;
  std::uint64_t sas_outofseqtsns;
  std::uint64_t sas_idupchunks;
  std::uint64_t sas_gapcnt;
  std::uint64_t sas_ouodchunks;
  std::uint64_t sas_iuodchunks;
  std::uint64_t sas_oodchunks;
  std::uint64_t sas_iodchunks;
  std::uint64_t sas_octrlchunks;
  std::uint64_t sas_ictrlchunks;
};

/// SCTP_CONTEXT, SCTP_MAXSEG, SCTP_MAX_BURST, SCTP_STREAM_SCHEDULER and others, sctp(7).
struct sctp_assoc_value {
  std::int32_t assoc_id;
  std::uint32_t assoc_value;
};

/// SCTP_ASSOCINFO, sctp(7).
struct sctp_assocparams {
  std::int32_t sasoc_assoc_id;
  std::uint16_t sasoc_asocmaxrxt;
  std::uint16_t sasoc_number_peer_destinations;
  std::uint32_t sasoc_peer_rwnd;
  std::uint32_t sasoc_local_rwnd;
  std::uint32_t sasoc_cookie_life;
};

/// SCTP_AUTH_CHUNK, linux/sctp.h.
struct sctp_authchunk {
  std::uint8_t sauth_chunk;
};

/// SCTP_AUTHINFO, RFC 6458, linux/sctp.h.
struct sctp_authinfo {
  std::uint16_t auth_keynumber;
};

/// SCTP_AUTH_ACTIVE_KEY, SCTP_AUTH_DEACTIVATE_KEY, SCTP_AUTH_DELETE_KEY, linux/sctp.h.
struct sctp_authkeyid {
  std::int32_t scact_assoc_id;
  std::uint16_t scact_keynumber;
};

/// SCTP_DEFAULT_PRINFO, linux/sctp.h.
struct sctp_default_prinfo {
  std::int32_t pr_assoc_id;
  std::uint32_t pr_value;
  std::uint16_t pr_policy;
};

/// SCTP_EVENT, RFC 6458, linux/sctp.h.
struct sctp_event {
  std::int32_t se_assoc_id;
  std::uint16_t se_type;
  std::uint8_t se_on;
};

/// SCTP_EVENTS, sctp(7).
struct sctp_event_subscribe {
  std::uint8_t sctp_data_io_event;
  std::uint8_t sctp_association_event;
  std::uint8_t sctp_address_event;
  std::uint8_t sctp_send_failure_event;
  std::uint8_t sctp_peer_error_event;
  std::uint8_t sctp_shutdown_event;
  std::uint8_t sctp_partial_delivery_event;
  std::uint8_t sctp_adaptation_layer_event;
  std::uint8_t sctp_authentication_event;
  std::uint8_t sctp_sender_dry_event;
  std::uint8_t sctp_stream_reset_event;
  std::uint8_t sctp_assoc_reset_event;
  std::uint8_t sctp_stream_change_event;
  std::uint8_t sctp_send_failure_event_event;
};

/// SCTP_SOCKOPT_CONNECTX3, linux/sctp.h. addr_num counts the bytes at addrs.
struct sctp_getaddrs_old {
  std::int32_t assoc_id;
  int addr_num;
  const sockaddr *addrs;
};

/// SCTP_INITMSG, SCTP_INIT, sctp(7).
struct sctp_initmsg {
  std::uint16_t sinit_num_ostreams;
  std::uint16_t sinit_max_instreams;
  std::uint16_t sinit_max_attempts;
  std::uint16_t sinit_max_init_timeo;
};

/// SCTP_NXTINFO, RFC 6458, linux/sctp.h.
struct sctp_nxtinfo {
  std::uint16_t nxt_sid;
  std::uint16_t nxt_flags;
  std::uint32_t nxt_ppid;
  std::uint32_t nxt_length;
  std::int32_t nxt_assoc_id;
};

/// SCTP_GET_PEER_ADDR_INFO and a part of sctp_status, sctp(7).
struct [[gnu::packed, gnu::aligned(4)]] sctp_paddrinfo {
  std::int32_t spinfo_assoc_id;
  sockaddr_storage spinfo_address;
  std::int32_t spinfo_state;
  std::uint32_t spinfo_cwnd;
  std::uint32_t spinfo_srtt;
  std::uint32_t spinfo_rto;
  std::uint32_t spinfo_mtu;
};

/// SCTP_PEER_ADDR_PARAMS, sctp(7).
struct [[gnu::packed, gnu::aligned(4)]] sctp_paddrparams {
  std::int32_t spp_assoc_id;
  sockaddr_storage spp_address;
  std::uint32_t spp_hbinterval;
  std::uint16_t spp_pathmaxrxt;
  std::uint32_t spp_pathmtu;
  std::uint32_t spp_sackdelay;
  std::uint32_t spp_flags;
  std::uint32_t spp_ipv6_flowlabel;
  std::uint8_t spp_dscp;
};

/// SCTP_PEER_ADDR_THLDS, RFC 7829, linux/sctp.h.
struct sctp_paddrthlds {
  std::int32_t spt_assoc_id;
  sockaddr_storage spt_address;
  std::uint16_t spt_pathmaxrxt;
  std::uint16_t spt_pathpfthld;
};

/// SCTP_PEER_ADDR_THLDS_V2, RFC 7829, linux/sctp.h.
struct sctp_paddrthlds_v2 {
  std::int32_t spt_assoc_id;
  sockaddr_storage spt_address;
  std::uint16_t spt_pathmaxrxt;
  std::uint16_t spt_pathpfthld;
  std::uint16_t spt_pathcpthld;
};

/// SCTP_PRIMARY_ADDR, sctp(7).
struct [[gnu::packed, gnu::aligned(4)]] sctp_prim {
  std::int32_t ssp_assoc_id;
  sockaddr_storage ssp_addr;
};

/// SCTP_PRINFO, RFC 6458, linux/sctp.h.
struct sctp_prinfo {
  std::uint16_t pr_policy;
  std::uint32_t pr_value;
};

/// SCTP_PLPMTUD_PROBE_INTERVAL, linux/sctp.h.
struct sctp_probeinterval {
  std::int32_t spi_assoc_id;
  sockaddr_storage spi_address;
  std::uint32_t spi_interval;
};

/// SCTP_PR_ASSOC_STATUS, SCTP_PR_STREAM_STATUS, RFC 7496, linux/sctp.h.
struct sctp_prstatus {
  std::int32_t sprstat_assoc_id;
  std::uint16_t sprstat_sid;
  std::uint16_t sprstat_policy;
  std::uint64_t sprstat_abandoned_unsent;
  std::uint64_t sprstat_abandoned_sent;
};

/// SCTP_RCVINFO, RFC 6458, linux/sctp.h.
struct sctp_rcvinfo {
  std::uint16_t rcv_sid;
  std::uint16_t rcv_ssn;
  std::uint16_t rcv_flags;
  std::uint32_t rcv_ppid;
  std::uint32_t rcv_tsn;
  std::uint32_t rcv_cumtsn;
  std::uint32_t rcv_context;
  std::int32_t rcv_assoc_id;
};

/// SCTP_RTOINFO, sctp(7).
struct sctp_rtoinfo {
  std::int32_t srto_assoc_id;
  std::uint32_t srto_initial;
  std::uint32_t srto_max;
  std::uint32_t srto_min;
};

/// SCTP_DELAYED_ACK, SCTP_DELAYED_ACK_TIME, SCTP_DELAYED_SACK, sctp(7).
struct sctp_sack_info {
  std::int32_t sack_assoc_id;
  std::uint32_t sack_delay;
  std::uint32_t sack_freq;
};

/// SCTP_ADAPTATION_LAYER, sctp(7).
struct sctp_setadaptation {
  std::uint32_t ssb_adaptation_ind;
};

/// SCTP_SET_PEER_PRIMARY_ADDR, sctp(7).
struct [[gnu::packed, gnu::aligned(4)]] sctp_setpeerprim {
  std::int32_t sspp_assoc_id;
  sockaddr_storage sspp_addr;
};

/// SCTP_DEFAULT_SNDINFO, SCTP_SNDINFO, RFC 6458, linux/sctp.h.
struct sctp_sndinfo {
  std::uint16_t snd_sid;
  std::uint16_t snd_flags;
  std::uint32_t snd_ppid;
  std::uint32_t snd_context;
  std::int32_t snd_assoc_id;
};

/// SCTP_DEFAULT_SEND_PARAM, SCTP_SNDRCV, sctp(7).
struct sctp_sndrcvinfo {
  std::uint16_t sinfo_stream;
  std::uint16_t sinfo_ssn;
  std::uint16_t sinfo_flags;
  std::uint32_t sinfo_ppid;
  std::uint32_t sinfo_context;
  std::uint32_t sinfo_timetolive;
  std::uint32_t sinfo_tsn;
  std::uint32_t sinfo_cumtsn;
  std::int32_t sinfo_assoc_id;
};

/// SCTP_STATUS, sctp(7).
struct sctp_status {
  std::int32_t sstat_assoc_id;
  std::int32_t sstat_state;
  std::uint32_t sstat_rwnd;
  std::uint16_t sstat_unackdata;
  std::uint16_t sstat_penddata;
  std::uint16_t sstat_instrms;
  std::uint16_t sstat_outstrms;
  std::uint32_t sstat_fragmentation_point;
  sctp_paddrinfo sstat_primary;
};

/// SCTP_STREAM_SCHEDULER_VALUE, RFC 8260, linux/sctp.h.
struct sctp_stream_value {
  std::int32_t assoc_id;
  std::uint16_t stream_id;
  std::uint16_t stream_value;
};

/// SCTP_REMOTE_UDP_ENCAPS_PORT, RFC 6951, linux/sctp.h.
struct sctp_udpencaps {
  std::int32_t sue_assoc_id;
  sockaddr_storage sue_address;
  std::uint16_t sue_port;
};

/// DCCP_SOCKOPT_CCID_RX_INFO of CCID 3, linux/tfrc.h of kernels up to 6.15.
struct tfrc_rx_info {
  std::uint32_t tfrcrx_x_recv;
  std::uint32_t tfrcrx_rtt;
  std::uint32_t tfrcrx_p;
};

/// DCCP_SOCKOPT_CCID_TX_INFO of CCID 3, linux/tfrc.h of kernels up to 6.15.
struct tfrc_tx_info {
  std::uint64_t tfrctx_x;
  std::uint64_t tfrctx_x_recv;
  std::uint32_t tfrctx_x_calc;
  std::uint32_t tfrctx_rtt;
  std::uint32_t tfrctx_p;
  std::uint32_t tfrctx_rto;
  std::uint32_t tfrctx_ipi;
};

/// TIPC_ERRINFO, two numbers without a struct in the kernel.
struct tipc_errinfo {
  std::uint32_t error; // TIPC_ERR_, TIPC_CONN_SHUTDOWN
  std::uint32_t length;
};

/// TIPC_GROUP_JOIN, linux/tipc.h.
struct tipc_group_req {
  std::uint32_t type;
  std::uint32_t instance;
  std::uint32_t scope;
  std::uint32_t flags;
};

/// TIPC_DESTNAME, linux/tipc.h.
struct tipc_service_range {
  std::uint32_t type;
  std::uint32_t lower;
  std::uint32_t upper;
};

/// PACKET_AUXDATA, packet(7).
struct tpacket_auxdata {
  std::uint32_t tp_status; // TP_STATUS_
  std::uint32_t tp_len;
  std::uint32_t tp_snaplen;
  std::uint16_t tp_mac;
  std::uint16_t tp_net;
  std::uint16_t tp_vlan_tci;
  std::uint16_t tp_vlan_tpid;
};

/// PACKET_RX_RING, PACKET_TX_RING, packet(7). TPACKET_V1 and V2 read the first four members.
struct tpacket_req3 {
  unsigned tp_block_size;
  unsigned tp_block_nr;
  unsigned tp_frame_size;
  unsigned tp_frame_nr;
  unsigned tp_retire_blk_tov;
  unsigned tp_sizeof_priv;
  unsigned tp_feature_req_word;
};

/// PACKET_ROLLOVER_STATS, packet(7).
struct tpacket_rollover_stats {
  alignas(8) std::uint64_t tp_all;
  alignas(8) std::uint64_t tp_huge;
  alignas(8) std::uint64_t tp_failed;
};

/// PACKET_STATISTICS, packet(7). TPACKET_V1 and V2 have the first two members.
struct tpacket_stats_v3 {
  unsigned tp_packets;
  unsigned tp_drops;
  unsigned tp_freeze_q_cnt;
};

/// A part of xdp_mmap_offsets, linux/if_xdp.h.
struct xdp_ring_offset {
  std::uint64_t producer;
  std::uint64_t consumer;
  std::uint64_t desc;
  std::uint64_t flags;
};

/// XDP_MMAP_OFFSETS, linux/if_xdp.h.
struct xdp_mmap_offsets {
  xdp_ring_offset rx;
  xdp_ring_offset tx;
  xdp_ring_offset fr;
  xdp_ring_offset cr;
};

/// XDP_OPTIONS, linux/if_xdp.h.
struct xdp_options {
  std::uint32_t flags;
};

/// XDP_STATISTICS, linux/if_xdp.h.
struct xdp_statistics {
  std::uint64_t rx_dropped;
  std::uint64_t rx_invalid_descs;
  std::uint64_t tx_invalid_descs;
  std::uint64_t rx_ring_full;
  std::uint64_t rx_fill_ring_empty_descs;
  std::uint64_t tx_ring_empty_descs;
};

/// XDP_UMEM_REG, linux/if_xdp.h.
struct xdp_umem_reg {
  std::uint64_t addr;
  std::uint64_t len;
  std::uint32_t chunk_size;
  std::uint32_t headroom;
  std::uint32_t flags;
  std::uint32_t tx_metadata_len;
};

} // namespace kernel

} // namespace baresock
