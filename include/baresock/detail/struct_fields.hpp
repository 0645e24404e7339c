// SPDX-License-Identifier: MIT
/// The fields of the kernel's structs and of ours. Included by fields.hpp. A field has the name of its member without
/// the prefix; padding is none.

#pragma once

#include <baresock/fields.hpp>

#include <linux/filter.h>

namespace baresock {

template <>
inline constexpr Field fields<Linger>[] = {
    BARESOCK_FIELD(Linger, on, "onoff"),
    BARESOCK_FIELD(Linger, time, "linger"),
};

template <>
inline constexpr Field fields<PortRange>[] = {
    BARESOCK_FIELD(PortRange, lower, "lower"),
    BARESOCK_FIELD(PortRange, upper, "upper"),
};

template <>
inline constexpr Field fields<sock_filter>[] = {
    BARESOCK_FIELD(sock_filter, code, "code"),
    BARESOCK_FIELD(sock_filter, jt, "jt"),
    BARESOCK_FIELD(sock_filter, jf, "jf"),
    BARESOCK_FIELD(sock_filter, k, "k"),
};

template <>
inline constexpr Field fields<dmabuf_cmsg>[] = {
    BARESOCK_FIELD(dmabuf_cmsg, frag_offset, "frag_offset"),
    BARESOCK_FIELD(dmabuf_cmsg, frag_size, "frag_size"),
    BARESOCK_FIELD(dmabuf_cmsg, frag_token, "frag_token"),
    BARESOCK_FIELD(dmabuf_cmsg, dmabuf_id, "dmabuf_id"),
    BARESOCK_FIELD(dmabuf_cmsg, flags, "flags"),
};

template <>
inline constexpr Field fields<dmabuf_token>[] = {
    BARESOCK_FIELD(dmabuf_token, token_start, "start"),
    BARESOCK_FIELD(dmabuf_token, token_count, "count"),
};

template <>
inline constexpr Field fields<group_req>[] = {
    BARESOCK_FIELD_AS(group_req, gr_interface, "interface", Interface),
    BARESOCK_FIELD(group_req, gr_group, "group"),
};

template <>
inline constexpr Field fields<group_source_req>[] = {
    BARESOCK_FIELD_AS(group_source_req, gsr_interface, "interface", Interface),
    BARESOCK_FIELD(group_source_req, gsr_group, "group"),
    BARESOCK_FIELD(group_source_req, gsr_source, "source"),
};

template <>
inline constexpr Field fields<icmp_filter>[] = {
    BARESOCK_FIELD(icmp_filter, data, "data"),
};

template <>
inline constexpr Field fields<in_pktinfo>[] = {
    BARESOCK_FIELD_AS(in_pktinfo, ipi_ifindex, "ifindex", Interface),
    BARESOCK_FIELD(in_pktinfo, ipi_spec_dst, "spec_dst"),
    BARESOCK_FIELD(in_pktinfo, ipi_addr, "addr"),
};

template <>
inline constexpr Field fields<ip_mreq_source>[] = {
    BARESOCK_FIELD(ip_mreq_source, imr_multiaddr, "multiaddr"),
    BARESOCK_FIELD(ip_mreq_source, imr_interface, "interface"),
    BARESOCK_FIELD(ip_mreq_source, imr_sourceaddr, "sourceaddr"),
};

template <>
inline constexpr Field fields<ip_mreqn>[] = {
    BARESOCK_FIELD(ip_mreqn, imr_multiaddr, "multiaddr"),
    BARESOCK_FIELD(ip_mreqn, imr_address, "address"),
    BARESOCK_FIELD_AS(ip_mreqn, imr_ifindex, "ifindex", Interface),
};

template <>
inline constexpr Field fields<scm_ts_pktinfo>[] = {
    BARESOCK_FIELD_AS(scm_ts_pktinfo, if_index, "if_index", Interface),
    BARESOCK_FIELD(scm_ts_pktinfo, pkt_length, "pkt_length"),
};

template <>
inline constexpr Field fields<sk_meminfo>[] = {
    BARESOCK_FIELD(sk_meminfo, rmem_alloc, "rmem_alloc"), BARESOCK_FIELD(sk_meminfo, rcvbuf, "rcvbuf"),
    BARESOCK_FIELD(sk_meminfo, wmem_alloc, "wmem_alloc"), BARESOCK_FIELD(sk_meminfo, sndbuf, "sndbuf"),
    BARESOCK_FIELD(sk_meminfo, fwd_alloc, "fwd_alloc"),   BARESOCK_FIELD(sk_meminfo, wmem_queued, "wmem_queued"),
    BARESOCK_FIELD(sk_meminfo, optmem, "optmem"),         BARESOCK_FIELD(sk_meminfo, backlog, "backlog"),
    BARESOCK_FIELD(sk_meminfo, drops, "drops"),
};

template <>
inline constexpr Field fields<so_timestamping>[] = {
    BARESOCK_FIELD(so_timestamping, flags, "flags"),
    BARESOCK_FIELD(so_timestamping, bind_phc, "bind_phc"),
};

template <>
inline constexpr Field fields<sock_extended_err>[] = {
    BARESOCK_FIELD(sock_extended_err, ee_errno, "errno"), BARESOCK_FIELD(sock_extended_err, ee_origin, "origin"),
    BARESOCK_FIELD(sock_extended_err, ee_type, "type"),   BARESOCK_FIELD(sock_extended_err, ee_code, "code"),
    BARESOCK_FIELD(sock_extended_err, ee_info, "info"),   BARESOCK_FIELD(sock_extended_err, ee_data, "data"),
};

template <>
inline constexpr Field fields<sock_txtime>[] = {
    BARESOCK_FIELD(sock_txtime, clockid, "clockid"),
    BARESOCK_FIELD(sock_txtime, flags, "flags"),
};

template <>
inline constexpr Field fields<ucred>[] = {
    BARESOCK_FIELD(ucred, pid, "pid"),
    BARESOCK_FIELD(ucred, uid, "uid"),
    BARESOCK_FIELD(ucred, gid, "gid"),
};

template <>
inline constexpr Field fields<ipv6_mreq>[] = {
    BARESOCK_FIELD(ipv6_mreq, ipv6mr_multiaddr, "multiaddr"),
    BARESOCK_FIELD_AS(ipv6_mreq, ipv6mr_interface, "interface", Interface),
};

template <>
inline constexpr Field fields<in6_pktinfo>[] = {
    BARESOCK_FIELD(in6_pktinfo, ipi6_addr, "addr"),
    BARESOCK_FIELD_AS(in6_pktinfo, ipi6_ifindex, "interface", Interface),
};

template <>
inline constexpr Field fields<ip6_mtuinfo>[] = {
    BARESOCK_FIELD(ip6_mtuinfo, ip6m_addr, "addr"),
    BARESOCK_FIELD(ip6_mtuinfo, ip6m_mtu, "mtu"),
};

template <>
inline constexpr Field fields<in6_flowlabel_req>[] = {
    BARESOCK_FIELD(in6_flowlabel_req, flr_dst, "dst"),
    BARESOCK_FIELD_AS(in6_flowlabel_req, flr_label, "label", stored::NetworkOrder<std::uint32_t>),
    BARESOCK_FIELD(in6_flowlabel_req, flr_action, "action"),
    BARESOCK_FIELD(in6_flowlabel_req, flr_share, "share"),
    BARESOCK_FIELD(in6_flowlabel_req, flr_flags, "flags"),
    BARESOCK_FIELD_AS(in6_flowlabel_req, flr_expires, "expires", stored::Count<1>),
    BARESOCK_FIELD_AS(in6_flowlabel_req, flr_linger, "linger", stored::Count<1>),
};

template <>
inline constexpr Field fields<icmp6_filter>[] = {
    BARESOCK_FIELD(icmp6_filter, icmp6_filt, "filt"),
};

template <>
inline constexpr Field fields<tcp_info>[] = {
    BARESOCK_FIELD(tcp_info, tcpi_state, "state"),
    BARESOCK_FIELD(tcp_info, tcpi_ca_state, "ca_state"),
    BARESOCK_FIELD(tcp_info, tcpi_retransmits, "retransmits"),
    BARESOCK_FIELD(tcp_info, tcpi_probes, "probes"),
    BARESOCK_FIELD(tcp_info, tcpi_backoff, "backoff"),
    BARESOCK_FIELD(tcp_info, tcpi_options, "options"),
    BARESOCK_BITS("snd_wscale", offsetof(tcp_info, tcpi_options) + 1, 0, 4),
    BARESOCK_BITS("rcv_wscale", offsetof(tcp_info, tcpi_options) + 1, 4, 4),
    BARESOCK_BITS("delivery_rate_app_limited", offsetof(tcp_info, tcpi_options) + 2, 0, 1),
    BARESOCK_BITS("fastopen_client_fail", offsetof(tcp_info, tcpi_options) + 2, 1, 2),
    BARESOCK_FIELD_AS(tcp_info, tcpi_rto, "rto", stored::Count<1000000>),
    BARESOCK_FIELD_AS(tcp_info, tcpi_ato, "ato", stored::Count<1000000>),
    BARESOCK_FIELD(tcp_info, tcpi_snd_mss, "snd_mss"),
    BARESOCK_FIELD(tcp_info, tcpi_rcv_mss, "rcv_mss"),
    BARESOCK_FIELD(tcp_info, tcpi_unacked, "unacked"),
    BARESOCK_FIELD(tcp_info, tcpi_sacked, "sacked"),
    BARESOCK_FIELD(tcp_info, tcpi_lost, "lost"),
    BARESOCK_FIELD(tcp_info, tcpi_retrans, "retrans"),
    BARESOCK_FIELD(tcp_info, tcpi_fackets, "fackets"),
    BARESOCK_FIELD_AS(tcp_info, tcpi_last_data_sent, "last_data_sent", stored::Count<1000>),
    BARESOCK_FIELD_AS(tcp_info, tcpi_last_ack_sent, "last_ack_sent", stored::Count<1000>),
    BARESOCK_FIELD_AS(tcp_info, tcpi_last_data_recv, "last_data_recv", stored::Count<1000>),
    BARESOCK_FIELD_AS(tcp_info, tcpi_last_ack_recv, "last_ack_recv", stored::Count<1000>),
    BARESOCK_FIELD(tcp_info, tcpi_pmtu, "pmtu"),
    BARESOCK_FIELD(tcp_info, tcpi_rcv_ssthresh, "rcv_ssthresh"),
    BARESOCK_FIELD_AS(tcp_info, tcpi_rtt, "rtt", stored::Count<1000000>),
    BARESOCK_FIELD_AS(tcp_info, tcpi_rttvar, "rttvar", stored::Count<1000000>),
    BARESOCK_FIELD(tcp_info, tcpi_snd_ssthresh, "snd_ssthresh"),
    BARESOCK_FIELD(tcp_info, tcpi_snd_cwnd, "snd_cwnd"),
    BARESOCK_FIELD(tcp_info, tcpi_advmss, "advmss"),
    BARESOCK_FIELD(tcp_info, tcpi_reordering, "reordering"),
    BARESOCK_FIELD_AS(tcp_info, tcpi_rcv_rtt, "rcv_rtt", stored::Count<1000000>),
    BARESOCK_FIELD(tcp_info, tcpi_rcv_space, "rcv_space"),
    BARESOCK_FIELD(tcp_info, tcpi_total_retrans, "total_retrans"),
    BARESOCK_FIELD(tcp_info, tcpi_pacing_rate, "pacing_rate"),
    BARESOCK_FIELD(tcp_info, tcpi_max_pacing_rate, "max_pacing_rate"),
    BARESOCK_FIELD(tcp_info, tcpi_bytes_acked, "bytes_acked"),
    BARESOCK_FIELD(tcp_info, tcpi_bytes_received, "bytes_received"),
    BARESOCK_FIELD(tcp_info, tcpi_segs_out, "segs_out"),
    BARESOCK_FIELD(tcp_info, tcpi_segs_in, "segs_in"),
    BARESOCK_FIELD(tcp_info, tcpi_notsent_bytes, "notsent_bytes"),
    BARESOCK_FIELD_AS(tcp_info, tcpi_min_rtt, "min_rtt", stored::Count<1000000>),
    BARESOCK_FIELD(tcp_info, tcpi_data_segs_in, "data_segs_in"),
    BARESOCK_FIELD(tcp_info, tcpi_data_segs_out, "data_segs_out"),
    BARESOCK_FIELD(tcp_info, tcpi_delivery_rate, "delivery_rate"),
    BARESOCK_FIELD_AS(tcp_info, tcpi_busy_time, "busy_time", stored::Count<1000000>),
    BARESOCK_FIELD_AS(tcp_info, tcpi_rwnd_limited, "rwnd_limited", stored::Count<1000000>),
    BARESOCK_FIELD_AS(tcp_info, tcpi_sndbuf_limited, "sndbuf_limited", stored::Count<1000000>),
    BARESOCK_FIELD(tcp_info, tcpi_delivered, "delivered"),
    BARESOCK_FIELD(tcp_info, tcpi_delivered_ce, "delivered_ce"),
    BARESOCK_FIELD(tcp_info, tcpi_bytes_sent, "bytes_sent"),
    BARESOCK_FIELD(tcp_info, tcpi_bytes_retrans, "bytes_retrans"),
    BARESOCK_FIELD(tcp_info, tcpi_dsack_dups, "dsack_dups"),
    BARESOCK_FIELD(tcp_info, tcpi_reord_seen, "reord_seen"),
    BARESOCK_FIELD(tcp_info, tcpi_rcv_ooopack, "rcv_ooopack"),
    BARESOCK_FIELD(tcp_info, tcpi_snd_wnd, "snd_wnd"),
    BARESOCK_FIELD(tcp_info, tcpi_rcv_wnd, "rcv_wnd"),
    BARESOCK_FIELD(tcp_info, tcpi_rehash, "rehash"),
    BARESOCK_FIELD(tcp_info, tcpi_total_rto, "total_rto"),
    BARESOCK_FIELD(tcp_info, tcpi_total_rto_recoveries, "total_rto_recoveries"),
    BARESOCK_FIELD_AS(tcp_info, tcpi_total_rto_time, "total_rto_time", stored::Count<1000>),
    BARESOCK_FIELD(tcp_info, tcpi_received_ce, "received_ce"),
    BARESOCK_FIELD(tcp_info, tcpi_delivered_e1_bytes, "delivered_e1_bytes"),
    BARESOCK_FIELD(tcp_info, tcpi_delivered_e0_bytes, "delivered_e0_bytes"),
    BARESOCK_FIELD(tcp_info, tcpi_delivered_ce_bytes, "delivered_ce_bytes"),
    BARESOCK_FIELD(tcp_info, tcpi_received_e1_bytes, "received_e1_bytes"),
    BARESOCK_FIELD(tcp_info, tcpi_received_e0_bytes, "received_e0_bytes"),
    BARESOCK_FIELD(tcp_info, tcpi_received_ce_bytes, "received_ce_bytes"),
};

template <>
inline constexpr Field fields<tcp_md5sig>[] = {
    BARESOCK_FIELD(tcp_md5sig, tcpm_addr, "addr"),
    BARESOCK_FIELD(tcp_md5sig, tcpm_flags, "flags"),
    BARESOCK_FIELD(tcp_md5sig, tcpm_prefixlen, "prefixlen"),
    BARESOCK_FIELD(tcp_md5sig, tcpm_keylen, "keylen"),
    BARESOCK_FIELD_AS(tcp_md5sig, tcpm_ifindex, "ifindex", Interface),
    BARESOCK_FIELD(tcp_md5sig, tcpm_key, "key"),
};

template <>
inline constexpr Field fields<tcp_repair_opt>[] = {
    BARESOCK_FIELD(tcp_repair_opt, opt_code, "code"),
    BARESOCK_FIELD(tcp_repair_opt, opt_val, "val"),
};

template <>
inline constexpr Field fields<tcp_repair_window>[] = {
    BARESOCK_FIELD(tcp_repair_window, snd_wl1, "snd_wl1"),
    BARESOCK_FIELD(tcp_repair_window, snd_wnd, "snd_wnd"),
    BARESOCK_FIELD(tcp_repair_window, max_window, "max_window"),
    BARESOCK_FIELD(tcp_repair_window, rcv_wnd, "rcv_wnd"),
    BARESOCK_FIELD(tcp_repair_window, rcv_wup, "rcv_wup"),
};

template <>
inline constexpr Field fields<tcp_zerocopy_receive>[] = {
    BARESOCK_FIELD_AS(tcp_zerocopy_receive, address, "address", stored::Pointer),
    BARESOCK_FIELD(tcp_zerocopy_receive, length, "length"),
    BARESOCK_FIELD(tcp_zerocopy_receive, recv_skip_hint, "recv_skip_hint"),
    BARESOCK_FIELD(tcp_zerocopy_receive, inq, "inq"),
    BARESOCK_FIELD(tcp_zerocopy_receive, err, "err"),
    BARESOCK_FIELD_AS(tcp_zerocopy_receive, copybuf_address, "copybuf_address", stored::Pointer),
    BARESOCK_FIELD(tcp_zerocopy_receive, copybuf_len, "copybuf_len"),
    BARESOCK_FIELD(tcp_zerocopy_receive, flags, "flags"),
    BARESOCK_FIELD_AS(tcp_zerocopy_receive, msg_control, "msg_control", stored::Pointer),
    BARESOCK_FIELD(tcp_zerocopy_receive, msg_controllen, "msg_controllen"),
    BARESOCK_FIELD(tcp_zerocopy_receive, msg_flags, "msg_flags"),
};

template <>
inline constexpr Field fields<tcp_ao_add>[] = {
    BARESOCK_FIELD(tcp_ao_add, addr, "addr"),
    BARESOCK_FIELD(tcp_ao_add, alg_name, "alg_name"),
    BARESOCK_FIELD_AS(tcp_ao_add, ifindex, "ifindex", Interface),
    BARESOCK_BITS("set_current", offsetof(tcp_ao_add, ifindex) + 4, 0, 1),
    BARESOCK_BITS("set_rnext", offsetof(tcp_ao_add, ifindex) + 4, 1, 1),
    BARESOCK_FIELD(tcp_ao_add, prefix, "prefix"),
    BARESOCK_FIELD(tcp_ao_add, sndid, "sndid"),
    BARESOCK_FIELD(tcp_ao_add, rcvid, "rcvid"),
    BARESOCK_FIELD(tcp_ao_add, maclen, "maclen"),
    BARESOCK_FIELD(tcp_ao_add, keyflags, "keyflags"),
    BARESOCK_FIELD(tcp_ao_add, keylen, "keylen"),
    BARESOCK_FIELD(tcp_ao_add, key, "key"),
};

template <>
inline constexpr Field fields<tcp_ao_del>[] = {
    BARESOCK_FIELD(tcp_ao_del, addr, "addr"),
    BARESOCK_FIELD_AS(tcp_ao_del, ifindex, "ifindex", Interface),
    BARESOCK_BITS("set_current", offsetof(tcp_ao_del, ifindex) + 4, 0, 1),
    BARESOCK_BITS("set_rnext", offsetof(tcp_ao_del, ifindex) + 4, 1, 1),
    BARESOCK_BITS("del_async", offsetof(tcp_ao_del, ifindex) + 4, 2, 1),
    BARESOCK_FIELD(tcp_ao_del, prefix, "prefix"),
    BARESOCK_FIELD(tcp_ao_del, sndid, "sndid"),
    BARESOCK_FIELD(tcp_ao_del, rcvid, "rcvid"),
    BARESOCK_FIELD(tcp_ao_del, current_key, "current_key"),
    BARESOCK_FIELD(tcp_ao_del, rnext, "rnext"),
    BARESOCK_FIELD(tcp_ao_del, keyflags, "keyflags"),
};

template <>
inline constexpr Field fields<tcp_ao_info_opt>[] = {
    BARESOCK_BITS("set_current", 0, 0, 1),
    BARESOCK_BITS("set_rnext", 0, 1, 1),
    BARESOCK_BITS("ao_required", 0, 2, 1),
    BARESOCK_BITS("set_counters", 0, 3, 1),
    BARESOCK_BITS("accept_icmps", 0, 4, 1),
    BARESOCK_FIELD(tcp_ao_info_opt, current_key, "current_key"),
    BARESOCK_FIELD(tcp_ao_info_opt, rnext, "rnext"),
    BARESOCK_FIELD(tcp_ao_info_opt, pkt_good, "pkt_good"),
    BARESOCK_FIELD(tcp_ao_info_opt, pkt_bad, "pkt_bad"),
    BARESOCK_FIELD(tcp_ao_info_opt, pkt_key_not_found, "pkt_key_not_found"),
    BARESOCK_FIELD(tcp_ao_info_opt, pkt_ao_required, "pkt_ao_required"),
    BARESOCK_FIELD(tcp_ao_info_opt, pkt_dropped_icmp, "pkt_dropped_icmp"),
};

template <>
inline constexpr Field fields<tcp_ao_getsockopt>[] = {
    BARESOCK_FIELD(tcp_ao_getsockopt, addr, "addr"),
    BARESOCK_FIELD(tcp_ao_getsockopt, alg_name, "alg_name"),
    BARESOCK_FIELD(tcp_ao_getsockopt, key, "key"),
    BARESOCK_FIELD(tcp_ao_getsockopt, nkeys, "nkeys"),
    BARESOCK_BITS("is_current", offsetof(tcp_ao_getsockopt, nkeys) + 4, 0, 1),
    BARESOCK_BITS("is_rnext", offsetof(tcp_ao_getsockopt, nkeys) + 4, 1, 1),
    BARESOCK_BITS("get_all", offsetof(tcp_ao_getsockopt, nkeys) + 4, 2, 1),
    BARESOCK_FIELD(tcp_ao_getsockopt, sndid, "sndid"),
    BARESOCK_FIELD(tcp_ao_getsockopt, rcvid, "rcvid"),
    BARESOCK_FIELD(tcp_ao_getsockopt, prefix, "prefix"),
    BARESOCK_FIELD(tcp_ao_getsockopt, maclen, "maclen"),
    BARESOCK_FIELD(tcp_ao_getsockopt, keyflags, "keyflags"),
    BARESOCK_FIELD(tcp_ao_getsockopt, keylen, "keylen"),
    BARESOCK_FIELD_AS(tcp_ao_getsockopt, ifindex, "ifindex", Interface),
    BARESOCK_FIELD(tcp_ao_getsockopt, pkt_good, "pkt_good"),
    BARESOCK_FIELD(tcp_ao_getsockopt, pkt_bad, "pkt_bad"),
};

template <>
inline constexpr Field fields<tcp_ao_repair>[] = {
    BARESOCK_FIELD_AS(tcp_ao_repair, snt_isn, "snt_isn", stored::NetworkOrder<std::uint32_t>),
    BARESOCK_FIELD_AS(tcp_ao_repair, rcv_isn, "rcv_isn", stored::NetworkOrder<std::uint32_t>),
    BARESOCK_FIELD(tcp_ao_repair, snd_sne, "snd_sne"),
    BARESOCK_FIELD(tcp_ao_repair, rcv_sne, "rcv_sne"),
};

template <>
inline constexpr Field fields<mptcp_info>[] = {
    BARESOCK_FIELD(mptcp_info, mptcpi_subflows, "subflows"),
    BARESOCK_FIELD(mptcp_info, mptcpi_add_addr_signal, "add_addr_signal"),
    BARESOCK_FIELD(mptcp_info, mptcpi_add_addr_accepted, "add_addr_accepted"),
    BARESOCK_FIELD(mptcp_info, mptcpi_subflows_max, "subflows_max"),
    BARESOCK_FIELD(mptcp_info, mptcpi_add_addr_signal_max, "add_addr_signal_max"),
    BARESOCK_FIELD(mptcp_info, mptcpi_add_addr_accepted_max, "add_addr_accepted_max"),
    BARESOCK_FIELD(mptcp_info, mptcpi_flags, "flags"),
    BARESOCK_FIELD(mptcp_info, mptcpi_token, "token"),
    BARESOCK_FIELD(mptcp_info, mptcpi_write_seq, "write_seq"),
    BARESOCK_FIELD(mptcp_info, mptcpi_snd_una, "snd_una"),
    BARESOCK_FIELD(mptcp_info, mptcpi_rcv_nxt, "rcv_nxt"),
    BARESOCK_FIELD(mptcp_info, mptcpi_local_addr_used, "local_addr_used"),
    BARESOCK_FIELD(mptcp_info, mptcpi_local_addr_max, "local_addr_max"),
    BARESOCK_FIELD_AS(mptcp_info, mptcpi_csum_enabled, "csum_enabled", stored::Flag),
    BARESOCK_FIELD(mptcp_info, mptcpi_retransmits, "retransmits"),
    BARESOCK_FIELD(mptcp_info, mptcpi_bytes_retrans, "bytes_retrans"),
    BARESOCK_FIELD(mptcp_info, mptcpi_bytes_sent, "bytes_sent"),
    BARESOCK_FIELD(mptcp_info, mptcpi_bytes_received, "bytes_received"),
    BARESOCK_FIELD(mptcp_info, mptcpi_bytes_acked, "bytes_acked"),
    BARESOCK_FIELD(mptcp_info, mptcpi_subflows_total, "subflows_total"),
    BARESOCK_FIELD(mptcp_info, mptcpi_endp_laminar_max, "endp_laminar_max"),
    BARESOCK_FIELD_AS(mptcp_info, mptcpi_last_data_sent, "last_data_sent", stored::Count<1000>),
    BARESOCK_FIELD_AS(mptcp_info, mptcpi_last_data_recv, "last_data_recv", stored::Count<1000>),
    BARESOCK_FIELD_AS(mptcp_info, mptcpi_last_ack_recv, "last_ack_recv", stored::Count<1000>),
};

template <>
inline constexpr Field fields<mptcp_subflow_data>[] = {
    BARESOCK_FIELD(mptcp_subflow_data, size_subflow_data, "size_subflow_data"),
    BARESOCK_FIELD(mptcp_subflow_data, num_subflows, "num_subflows"),
    BARESOCK_FIELD(mptcp_subflow_data, size_kernel, "size_kernel"),
    BARESOCK_FIELD(mptcp_subflow_data, size_user, "size_user"),
};

template <>
inline constexpr Field fields<mptcp_subflow_addrs>[] = {
    BARESOCK_FIELD(mptcp_subflow_addrs, ss_local, "local"),
    BARESOCK_FIELD(mptcp_subflow_addrs, ss_remote, "remote"),
};

template <>
inline constexpr Field fields<mptcp_subflow_info>[] = {
    BARESOCK_FIELD(mptcp_subflow_info, id, "id"),
    BARESOCK_FIELD(mptcp_subflow_info, addrs, "addrs"),
};

template <>
inline constexpr Field fields<mptcp_full_info>[] = {
    BARESOCK_FIELD(mptcp_full_info, size_tcpinfo_kernel, "size_tcpinfo_kernel"),
    BARESOCK_FIELD(mptcp_full_info, size_tcpinfo_user, "size_tcpinfo_user"),
    BARESOCK_FIELD(mptcp_full_info, size_sfinfo_kernel, "size_sfinfo_kernel"),
    BARESOCK_FIELD(mptcp_full_info, size_sfinfo_user, "size_sfinfo_user"),
    BARESOCK_FIELD(mptcp_full_info, num_subflows, "num_subflows"),
    BARESOCK_FIELD(mptcp_full_info, size_arrays_user, "size_arrays_user"),
    BARESOCK_FIELD_AS(mptcp_full_info, subflow_info, "subflow_info", stored::Pointer),
    BARESOCK_FIELD_AS(mptcp_full_info, tcp_info, "tcp_info", stored::Pointer),
    BARESOCK_FIELD(mptcp_full_info, mptcp_info, "mptcp_info"),
};

template <>
inline constexpr Field fields<tls_crypto_info>[] = {
    BARESOCK_FIELD(tls_crypto_info, version, "version"),
    BARESOCK_FIELD(tls_crypto_info, cipher_type, "cipher_type"),
};

template <>
inline constexpr Field fields<can_filter>[] = {
    BARESOCK_FIELD(can_filter, can_id, "id"),
    BARESOCK_FIELD(can_filter, can_mask, "mask"),
};

template <>
inline constexpr Field fields<can_isotp_fc_options>[] = {
    BARESOCK_FIELD(can_isotp_fc_options, bs, "bs"),
    BARESOCK_FIELD(can_isotp_fc_options, stmin, "stmin"),
    BARESOCK_FIELD(can_isotp_fc_options, wftmax, "wftmax"),
};

template <>
inline constexpr Field fields<can_isotp_ll_options>[] = {
    BARESOCK_FIELD(can_isotp_ll_options, mtu, "mtu"),
    BARESOCK_FIELD(can_isotp_ll_options, tx_dl, "tx_dl"),
    BARESOCK_FIELD(can_isotp_ll_options, tx_flags, "tx_flags"),
};

template <>
inline constexpr Field fields<can_isotp_options>[] = {
    BARESOCK_FIELD(can_isotp_options, flags, "flags"),
    BARESOCK_FIELD(can_isotp_options, frame_txtime, "frame_txtime"),
    BARESOCK_FIELD(can_isotp_options, ext_address, "ext_address"),
    BARESOCK_FIELD(can_isotp_options, txpad_content, "txpad_content"),
    BARESOCK_FIELD(can_isotp_options, rxpad_content, "rxpad_content"),
    BARESOCK_FIELD(can_isotp_options, rx_ext_address, "rx_ext_address"),
};

template <>
inline constexpr Field fields<can_raw_vcid_options>[] = {
    BARESOCK_FIELD(can_raw_vcid_options, flags, "flags"),
    BARESOCK_FIELD(can_raw_vcid_options, tx_vcid, "tx_vcid"),
    BARESOCK_FIELD(can_raw_vcid_options, rx_vcid, "rx_vcid"),
    BARESOCK_FIELD(can_raw_vcid_options, rx_vcid_mask, "rx_vcid_mask"),
};

template <>
inline constexpr Field fields<fanout_args>[] = {
    BARESOCK_FIELD(fanout_args, id, "id"),
    BARESOCK_FIELD(fanout_args, type_flags, "type_flags"),
    BARESOCK_FIELD(fanout_args, max_num_members, "max_num_members"),
};

template <>
inline constexpr Field fields<j1939_filter>[] = {
    BARESOCK_FIELD(j1939_filter, name, "name"), BARESOCK_FIELD(j1939_filter, name_mask, "name_mask"),
    BARESOCK_FIELD(j1939_filter, pgn, "pgn"),   BARESOCK_FIELD(j1939_filter, pgn_mask, "pgn_mask"),
    BARESOCK_FIELD(j1939_filter, addr, "addr"), BARESOCK_FIELD(j1939_filter, addr_mask, "addr_mask"),
};

template <>
inline constexpr Field fields<llc_pktinfo>[] = {
    BARESOCK_FIELD_AS(llc_pktinfo, lpi_ifindex, "ifindex", Interface),
    BARESOCK_FIELD(llc_pktinfo, lpi_sap, "sap"),
    BARESOCK_FIELD(llc_pktinfo, lpi_mac, "mac"),
};

template <>
inline constexpr Field fields<nl_pktinfo>[] = {
    BARESOCK_FIELD(nl_pktinfo, group, "group"),
};

template <>
inline constexpr Field fields<packet_mreq>[] = {
    BARESOCK_FIELD_AS(packet_mreq, mr_ifindex, "interface", Interface),
    BARESOCK_FIELD(packet_mreq, mr_type, "type"),
    BARESOCK_FIELD(packet_mreq, mr_alen, "alen"),
    BARESOCK_FIELD(packet_mreq, mr_address, "address"),
};

template <>
inline constexpr Field fields<rds_iovec>[] = {
    BARESOCK_FIELD_AS(rds_iovec, addr, "addr", stored::Pointer),
    BARESOCK_FIELD(rds_iovec, bytes, "bytes"),
};

template <>
inline constexpr Field fields<rds_atomic_args>[] = {
    BARESOCK_FIELD(rds_atomic_args, cookie, "cookie"),
    BARESOCK_FIELD_AS(rds_atomic_args, local_addr, "local_addr", stored::Pointer),
    BARESOCK_FIELD(rds_atomic_args, remote_addr, "remote_addr"),
    BARESOCK_FIELD(rds_atomic_args, compare, "compare"),
    BARESOCK_FIELD(rds_atomic_args, swap, "swap"),
    BARESOCK_FIELD(rds_atomic_args, compare_mask, "compare_mask"),
    BARESOCK_FIELD(rds_atomic_args, swap_mask, "swap_mask"),
    BARESOCK_FIELD(rds_atomic_args, flags, "flags"),
    BARESOCK_FIELD(rds_atomic_args, user_token, "user_token"),
};

template <>
inline constexpr Field fields<rds_cmsg_rx_trace>[] = {
    BARESOCK_FIELD(rds_cmsg_rx_trace, rx_traces, "rx_traces"),
    BARESOCK_FIELD(rds_cmsg_rx_trace, rx_trace_pos, "rx_trace_pos"),
    BARESOCK_FIELD(rds_cmsg_rx_trace, rx_trace, "rx_trace"),
};

template <>
inline constexpr Field fields<rds_free_mr_args>[] = {
    BARESOCK_FIELD(rds_free_mr_args, cookie, "cookie"),
    BARESOCK_FIELD(rds_free_mr_args, flags, "flags"),
};

template <>
inline constexpr Field fields<rds_get_mr_args>[] = {
    BARESOCK_FIELD(rds_get_mr_args, vec, "vec"),
    BARESOCK_FIELD_AS(rds_get_mr_args, cookie_addr, "cookie_addr", stored::Pointer),
    BARESOCK_FIELD(rds_get_mr_args, flags, "flags"),
};

template <>
inline constexpr Field fields<rds_get_mr_for_dest_args>[] = {
    BARESOCK_FIELD(rds_get_mr_for_dest_args, dest_addr, "dest_addr"),
    BARESOCK_FIELD(rds_get_mr_for_dest_args, vec, "vec"),
    BARESOCK_FIELD_AS(rds_get_mr_for_dest_args, cookie_addr, "cookie_addr", stored::Pointer),
    BARESOCK_FIELD(rds_get_mr_for_dest_args, flags, "flags"),
};

template <>
inline constexpr Field fields<rds_rdma_args>[] = {
    BARESOCK_FIELD(rds_rdma_args, cookie, "cookie"),
    BARESOCK_FIELD(rds_rdma_args, remote_vec, "remote_vec"),
    BARESOCK_FIELD_AS(rds_rdma_args, local_vec_addr, "local_vec_addr", stored::Pointer),
    BARESOCK_FIELD(rds_rdma_args, nr_local, "nr_local"),
    BARESOCK_FIELD(rds_rdma_args, flags, "flags"),
    BARESOCK_FIELD(rds_rdma_args, user_token, "user_token"),
};

template <>
inline constexpr Field fields<rds_rdma_notify>[] = {
    BARESOCK_FIELD(rds_rdma_notify, user_token, "user_token"),
    BARESOCK_FIELD(rds_rdma_notify, status, "status"),
};

template <>
inline constexpr Field fields<rds_rx_trace_so>[] = {
    BARESOCK_FIELD(rds_rx_trace_so, rx_traces, "rx_traces"),
    BARESOCK_FIELD(rds_rx_trace_so, rx_trace_pos, "rx_trace_pos"),
};

template <>
inline constexpr Field fields<rds_zcopy_cookies>[] = {
    BARESOCK_FIELD(rds_zcopy_cookies, num, "num"),
    BARESOCK_FIELD(rds_zcopy_cookies, cookies, "cookies"),
};

template <>
inline constexpr Field fields<rxrpc_challenge>[] = {
    BARESOCK_FIELD(rxrpc_challenge, service_id, "service_id"),
    BARESOCK_FIELD(rxrpc_challenge, security_index, "security_index"),
};

template <>
inline constexpr Field fields<rxgk_challenge>[] = {
    BARESOCK_FIELD(rxgk_challenge, base, "base"),
    BARESOCK_FIELD(rxgk_challenge, enctype, "enctype"),
};

template <>
inline constexpr Field fields<sctp_add_streams>[] = {
    BARESOCK_FIELD(sctp_add_streams, sas_assoc_id, "assoc_id"),
    BARESOCK_FIELD(sctp_add_streams, sas_instrms, "instrms"),
    BARESOCK_FIELD(sctp_add_streams, sas_outstrms, "outstrms"),
};

template <>
inline constexpr Field fields<sctp_assoc_stats>[] = {
    BARESOCK_FIELD(sctp_assoc_stats, sas_assoc_id, "assoc_id"),
    BARESOCK_FIELD(sctp_assoc_stats, sas_obs_rto_ipaddr, "obs_rto_ipaddr"),
    BARESOCK_FIELD(sctp_assoc_stats, sas_maxrto, "maxrto"),
    BARESOCK_FIELD(sctp_assoc_stats, sas_isacks, "isacks"),
    BARESOCK_FIELD(sctp_assoc_stats, sas_osacks, "osacks"),
    BARESOCK_FIELD(sctp_assoc_stats, sas_opackets, "opackets"),
    BARESOCK_FIELD(sctp_assoc_stats, sas_ipackets, "ipackets"),
    BARESOCK_FIELD(sctp_assoc_stats, sas_rtxchunks, "rtxchunks"),
    BARESOCK_FIELD(sctp_assoc_stats, sas_outofseqtsns, "outofseqtsns"),
    BARESOCK_FIELD(sctp_assoc_stats, sas_idupchunks, "idupchunks"),
    BARESOCK_FIELD(sctp_assoc_stats, sas_gapcnt, "gapcnt"),
    BARESOCK_FIELD(sctp_assoc_stats, sas_ouodchunks, "ouodchunks"),
    BARESOCK_FIELD(sctp_assoc_stats, sas_iuodchunks, "iuodchunks"),
    BARESOCK_FIELD(sctp_assoc_stats, sas_oodchunks, "oodchunks"),
    BARESOCK_FIELD(sctp_assoc_stats, sas_iodchunks, "iodchunks"),
    BARESOCK_FIELD(sctp_assoc_stats, sas_octrlchunks, "octrlchunks"),
    BARESOCK_FIELD(sctp_assoc_stats, sas_ictrlchunks, "ictrlchunks"),
};

template <>
inline constexpr Field fields<sctp_assoc_value>[] = {
    BARESOCK_FIELD(sctp_assoc_value, assoc_id, "assoc_id"),
    BARESOCK_FIELD(sctp_assoc_value, assoc_value, "assoc_value"),
};

template <>
inline constexpr Field fields<sctp_assocparams>[] = {
    BARESOCK_FIELD(sctp_assocparams, sasoc_assoc_id, "assoc_id"),
    BARESOCK_FIELD(sctp_assocparams, sasoc_asocmaxrxt, "asocmaxrxt"),
    BARESOCK_FIELD(sctp_assocparams, sasoc_number_peer_destinations, "number_peer_destinations"),
    BARESOCK_FIELD(sctp_assocparams, sasoc_peer_rwnd, "peer_rwnd"),
    BARESOCK_FIELD(sctp_assocparams, sasoc_local_rwnd, "local_rwnd"),
    BARESOCK_FIELD_AS(sctp_assocparams, sasoc_cookie_life, "cookie_life", stored::Count<1000>),
};

template <>
inline constexpr Field fields<sctp_authchunk>[] = {
    BARESOCK_FIELD(sctp_authchunk, sauth_chunk, "chunk"),
};

template <>
inline constexpr Field fields<sctp_authinfo>[] = {
    BARESOCK_FIELD(sctp_authinfo, auth_keynumber, "keynumber"),
};

template <>
inline constexpr Field fields<sctp_authkeyid>[] = {
    BARESOCK_FIELD(sctp_authkeyid, scact_assoc_id, "assoc_id"),
    BARESOCK_FIELD(sctp_authkeyid, scact_keynumber, "keynumber"),
};

template <>
inline constexpr Field fields<sctp_default_prinfo>[] = {
    BARESOCK_FIELD(sctp_default_prinfo, pr_assoc_id, "assoc_id"),
    BARESOCK_FIELD(sctp_default_prinfo, pr_value, "value"),
    BARESOCK_FIELD(sctp_default_prinfo, pr_policy, "policy"),
};

template <>
inline constexpr Field fields<sctp_event>[] = {
    BARESOCK_FIELD(sctp_event, se_assoc_id, "assoc_id"),
    BARESOCK_FIELD(sctp_event, se_type, "type"),
    BARESOCK_FIELD_AS(sctp_event, se_on, "on", stored::Flag),
};

template <>
inline constexpr Field fields<sctp_event_subscribe>[] = {
    BARESOCK_FIELD_AS(sctp_event_subscribe, sctp_data_io_event, "data_io_event", stored::Flag),
    BARESOCK_FIELD_AS(sctp_event_subscribe, sctp_association_event, "association_event", stored::Flag),
    BARESOCK_FIELD_AS(sctp_event_subscribe, sctp_address_event, "address_event", stored::Flag),
    BARESOCK_FIELD_AS(sctp_event_subscribe, sctp_send_failure_event, "send_failure_event", stored::Flag),
    BARESOCK_FIELD_AS(sctp_event_subscribe, sctp_peer_error_event, "peer_error_event", stored::Flag),
    BARESOCK_FIELD_AS(sctp_event_subscribe, sctp_shutdown_event, "shutdown_event", stored::Flag),
    BARESOCK_FIELD_AS(sctp_event_subscribe, sctp_partial_delivery_event, "partial_delivery_event", stored::Flag),
    BARESOCK_FIELD_AS(sctp_event_subscribe, sctp_adaptation_layer_event, "adaptation_layer_event", stored::Flag),
    BARESOCK_FIELD_AS(sctp_event_subscribe, sctp_authentication_event, "authentication_event", stored::Flag),
    BARESOCK_FIELD_AS(sctp_event_subscribe, sctp_sender_dry_event, "sender_dry_event", stored::Flag),
    BARESOCK_FIELD_AS(sctp_event_subscribe, sctp_stream_reset_event, "stream_reset_event", stored::Flag),
    BARESOCK_FIELD_AS(sctp_event_subscribe, sctp_assoc_reset_event, "assoc_reset_event", stored::Flag),
    BARESOCK_FIELD_AS(sctp_event_subscribe, sctp_stream_change_event, "stream_change_event", stored::Flag),
    BARESOCK_FIELD_AS(sctp_event_subscribe, sctp_send_failure_event_event, "send_failure_event_event", stored::Flag),
};

template <>
inline constexpr Field fields<sctp_getaddrs_old>[] = {
    BARESOCK_FIELD(sctp_getaddrs_old, assoc_id, "assoc_id"),
    BARESOCK_FIELD(sctp_getaddrs_old, addr_num, "addr_num"),
};

template <>
inline constexpr Field fields<sctp_initmsg>[] = {
    BARESOCK_FIELD(sctp_initmsg, sinit_num_ostreams, "num_ostreams"),
    BARESOCK_FIELD(sctp_initmsg, sinit_max_instreams, "max_instreams"),
    BARESOCK_FIELD(sctp_initmsg, sinit_max_attempts, "max_attempts"),
    BARESOCK_FIELD_AS(sctp_initmsg, sinit_max_init_timeo, "max_init_timeo", stored::Count<1000>),
};

template <>
inline constexpr Field fields<sctp_nxtinfo>[] = {
    BARESOCK_FIELD(sctp_nxtinfo, nxt_sid, "sid"),           BARESOCK_FIELD(sctp_nxtinfo, nxt_flags, "flags"),
    BARESOCK_FIELD(sctp_nxtinfo, nxt_ppid, "ppid"),         BARESOCK_FIELD(sctp_nxtinfo, nxt_length, "length"),
    BARESOCK_FIELD(sctp_nxtinfo, nxt_assoc_id, "assoc_id"),
};

template <>
inline constexpr Field fields<sctp_paddrinfo>[] = {
    BARESOCK_FIELD(sctp_paddrinfo, spinfo_assoc_id, "assoc_id"),
    BARESOCK_FIELD(sctp_paddrinfo, spinfo_address, "address"),
    BARESOCK_FIELD(sctp_paddrinfo, spinfo_state, "state"),
    BARESOCK_FIELD(sctp_paddrinfo, spinfo_cwnd, "cwnd"),
    BARESOCK_FIELD(sctp_paddrinfo, spinfo_srtt, "srtt"),
    BARESOCK_FIELD_AS(sctp_paddrinfo, spinfo_rto, "rto", stored::Count<1000>),
    BARESOCK_FIELD(sctp_paddrinfo, spinfo_mtu, "mtu"),
};

template <>
inline constexpr Field fields<sctp_paddrparams>[] = {
    BARESOCK_FIELD(sctp_paddrparams, spp_assoc_id, "assoc_id"),
    BARESOCK_FIELD(sctp_paddrparams, spp_address, "address"),
    BARESOCK_FIELD_AS(sctp_paddrparams, spp_hbinterval, "hbinterval", stored::Count<1000>),
    BARESOCK_FIELD(sctp_paddrparams, spp_pathmaxrxt, "pathmaxrxt"),
    BARESOCK_FIELD(sctp_paddrparams, spp_pathmtu, "pathmtu"),
    BARESOCK_FIELD_AS(sctp_paddrparams, spp_sackdelay, "sackdelay", stored::Count<1000>),
    BARESOCK_FIELD(sctp_paddrparams, spp_flags, "flags"),
    BARESOCK_FIELD(sctp_paddrparams, spp_ipv6_flowlabel, "ipv6_flowlabel"),
    BARESOCK_FIELD(sctp_paddrparams, spp_dscp, "dscp"),
};

template <>
inline constexpr Field fields<sctp_paddrthlds>[] = {
    BARESOCK_FIELD(sctp_paddrthlds, spt_assoc_id, "assoc_id"),
    BARESOCK_FIELD(sctp_paddrthlds, spt_address, "address"),
    BARESOCK_FIELD(sctp_paddrthlds, spt_pathmaxrxt, "pathmaxrxt"),
    BARESOCK_FIELD(sctp_paddrthlds, spt_pathpfthld, "pathpfthld"),
};

template <>
inline constexpr Field fields<sctp_paddrthlds_v2>[] = {
    BARESOCK_FIELD(sctp_paddrthlds_v2, spt_assoc_id, "assoc_id"),
    BARESOCK_FIELD(sctp_paddrthlds_v2, spt_address, "address"),
    BARESOCK_FIELD(sctp_paddrthlds_v2, spt_pathmaxrxt, "pathmaxrxt"),
    BARESOCK_FIELD(sctp_paddrthlds_v2, spt_pathpfthld, "pathpfthld"),
    BARESOCK_FIELD(sctp_paddrthlds_v2, spt_pathcpthld, "pathcpthld"),
};

template <>
inline constexpr Field fields<sctp_prim>[] = {
    BARESOCK_FIELD(sctp_prim, ssp_assoc_id, "assoc_id"),
    BARESOCK_FIELD(sctp_prim, ssp_addr, "addr"),
};

template <>
inline constexpr Field fields<sctp_prinfo>[] = {
    BARESOCK_FIELD(sctp_prinfo, pr_policy, "policy"),
    BARESOCK_FIELD(sctp_prinfo, pr_value, "value"),
};

template <>
inline constexpr Field fields<sctp_probeinterval>[] = {
    BARESOCK_FIELD(sctp_probeinterval, spi_assoc_id, "assoc_id"),
    BARESOCK_FIELD(sctp_probeinterval, spi_address, "address"),
    BARESOCK_FIELD_AS(sctp_probeinterval, spi_interval, "interval", stored::Count<1000>),
};

template <>
inline constexpr Field fields<sctp_prstatus>[] = {
    BARESOCK_FIELD(sctp_prstatus, sprstat_assoc_id, "assoc_id"),
    BARESOCK_FIELD(sctp_prstatus, sprstat_sid, "sid"),
    BARESOCK_FIELD(sctp_prstatus, sprstat_policy, "policy"),
    BARESOCK_FIELD(sctp_prstatus, sprstat_abandoned_unsent, "abandoned_unsent"),
    BARESOCK_FIELD(sctp_prstatus, sprstat_abandoned_sent, "abandoned_sent"),
};

template <>
inline constexpr Field fields<sctp_rcvinfo>[] = {
    BARESOCK_FIELD(sctp_rcvinfo, rcv_sid, "sid"),         BARESOCK_FIELD(sctp_rcvinfo, rcv_ssn, "ssn"),
    BARESOCK_FIELD(sctp_rcvinfo, rcv_flags, "flags"),     BARESOCK_FIELD(sctp_rcvinfo, rcv_ppid, "ppid"),
    BARESOCK_FIELD(sctp_rcvinfo, rcv_tsn, "tsn"),         BARESOCK_FIELD(sctp_rcvinfo, rcv_cumtsn, "cumtsn"),
    BARESOCK_FIELD(sctp_rcvinfo, rcv_context, "context"), BARESOCK_FIELD(sctp_rcvinfo, rcv_assoc_id, "assoc_id"),
};

template <>
inline constexpr Field fields<sctp_rtoinfo>[] = {
    BARESOCK_FIELD(sctp_rtoinfo, srto_assoc_id, "assoc_id"),
    BARESOCK_FIELD_AS(sctp_rtoinfo, srto_initial, "initial", stored::Count<1000>),
    BARESOCK_FIELD_AS(sctp_rtoinfo, srto_max, "max", stored::Count<1000>),
    BARESOCK_FIELD_AS(sctp_rtoinfo, srto_min, "min", stored::Count<1000>),
};

template <>
inline constexpr Field fields<sctp_sack_info>[] = {
    BARESOCK_FIELD(sctp_sack_info, sack_assoc_id, "assoc_id"),
    BARESOCK_FIELD_AS(sctp_sack_info, sack_delay, "delay", stored::Count<1000>),
    BARESOCK_FIELD(sctp_sack_info, sack_freq, "freq"),
};

template <>
inline constexpr Field fields<sctp_setadaptation>[] = {
    BARESOCK_FIELD(sctp_setadaptation, ssb_adaptation_ind, "adaptation_ind"),
};

template <>
inline constexpr Field fields<sctp_setpeerprim>[] = {
    BARESOCK_FIELD(sctp_setpeerprim, sspp_assoc_id, "assoc_id"),
    BARESOCK_FIELD(sctp_setpeerprim, sspp_addr, "addr"),
};

template <>
inline constexpr Field fields<sctp_sndinfo>[] = {
    BARESOCK_FIELD(sctp_sndinfo, snd_sid, "sid"),           BARESOCK_FIELD(sctp_sndinfo, snd_flags, "flags"),
    BARESOCK_FIELD(sctp_sndinfo, snd_ppid, "ppid"),         BARESOCK_FIELD(sctp_sndinfo, snd_context, "context"),
    BARESOCK_FIELD(sctp_sndinfo, snd_assoc_id, "assoc_id"),
};

template <>
inline constexpr Field fields<sctp_sndrcvinfo>[] = {
    BARESOCK_FIELD(sctp_sndrcvinfo, sinfo_stream, "stream"),
    BARESOCK_FIELD(sctp_sndrcvinfo, sinfo_ssn, "ssn"),
    BARESOCK_FIELD(sctp_sndrcvinfo, sinfo_flags, "flags"),
    BARESOCK_FIELD(sctp_sndrcvinfo, sinfo_ppid, "ppid"),
    BARESOCK_FIELD(sctp_sndrcvinfo, sinfo_context, "context"),
    BARESOCK_FIELD_AS(sctp_sndrcvinfo, sinfo_timetolive, "timetolive", stored::Count<1000>),
    BARESOCK_FIELD(sctp_sndrcvinfo, sinfo_tsn, "tsn"),
    BARESOCK_FIELD(sctp_sndrcvinfo, sinfo_cumtsn, "cumtsn"),
    BARESOCK_FIELD(sctp_sndrcvinfo, sinfo_assoc_id, "assoc_id"),
};

template <>
inline constexpr Field fields<sctp_status>[] = {
    BARESOCK_FIELD(sctp_status, sstat_assoc_id, "assoc_id"),
    BARESOCK_FIELD(sctp_status, sstat_state, "state"),
    BARESOCK_FIELD(sctp_status, sstat_rwnd, "rwnd"),
    BARESOCK_FIELD(sctp_status, sstat_unackdata, "unackdata"),
    BARESOCK_FIELD(sctp_status, sstat_penddata, "penddata"),
    BARESOCK_FIELD(sctp_status, sstat_instrms, "instrms"),
    BARESOCK_FIELD(sctp_status, sstat_outstrms, "outstrms"),
    BARESOCK_FIELD(sctp_status, sstat_fragmentation_point, "fragmentation_point"),
    BARESOCK_FIELD(sctp_status, sstat_primary, "primary"),
};

template <>
inline constexpr Field fields<sctp_stream_value>[] = {
    BARESOCK_FIELD(sctp_stream_value, assoc_id, "assoc_id"),
    BARESOCK_FIELD(sctp_stream_value, stream_id, "stream_id"),
    BARESOCK_FIELD(sctp_stream_value, stream_value, "stream_value"),
};

template <>
inline constexpr Field fields<sctp_udpencaps>[] = {
    BARESOCK_FIELD(sctp_udpencaps, sue_assoc_id, "assoc_id"),
    BARESOCK_FIELD(sctp_udpencaps, sue_address, "address"),
    BARESOCK_FIELD_AS(sctp_udpencaps, sue_port, "port", stored::NetworkOrder<std::uint16_t>),
};

template <>
inline constexpr Field fields<tfrc_rx_info>[] = {
    BARESOCK_FIELD(tfrc_rx_info, tfrcrx_x_recv, "x_recv"),
    BARESOCK_FIELD_AS(tfrc_rx_info, tfrcrx_rtt, "rtt", stored::Count<1000000>),
    BARESOCK_FIELD(tfrc_rx_info, tfrcrx_p, "p"),
};

template <>
inline constexpr Field fields<tfrc_tx_info>[] = {
    BARESOCK_FIELD(tfrc_tx_info, tfrctx_x, "x"),
    BARESOCK_FIELD(tfrc_tx_info, tfrctx_x_recv, "x_recv"),
    BARESOCK_FIELD(tfrc_tx_info, tfrctx_x_calc, "x_calc"),
    BARESOCK_FIELD_AS(tfrc_tx_info, tfrctx_rtt, "rtt", stored::Count<1000000>),
    BARESOCK_FIELD(tfrc_tx_info, tfrctx_p, "p"),
    BARESOCK_FIELD_AS(tfrc_tx_info, tfrctx_rto, "rto", stored::Count<1000000>),
    BARESOCK_FIELD_AS(tfrc_tx_info, tfrctx_ipi, "ipi", stored::Count<1000000>),
};

template <>
inline constexpr Field fields<tipc_errinfo>[] = {
    BARESOCK_FIELD(tipc_errinfo, error, "error"),
    BARESOCK_FIELD(tipc_errinfo, length, "length"),
};

template <>
inline constexpr Field fields<tipc_group_req>[] = {
    BARESOCK_FIELD(tipc_group_req, type, "type"),
    BARESOCK_FIELD(tipc_group_req, instance, "instance"),
    BARESOCK_FIELD(tipc_group_req, scope, "scope"),
    BARESOCK_FIELD(tipc_group_req, flags, "flags"),
};

template <>
inline constexpr Field fields<tipc_service_range>[] = {
    BARESOCK_FIELD(tipc_service_range, type, "type"),
    BARESOCK_FIELD(tipc_service_range, lower, "lower"),
    BARESOCK_FIELD(tipc_service_range, upper, "upper"),
};

template <>
inline constexpr Field fields<tpacket_auxdata>[] = {
    BARESOCK_FIELD(tpacket_auxdata, tp_status, "status"),
    BARESOCK_FIELD(tpacket_auxdata, tp_len, "len"),
    BARESOCK_FIELD(tpacket_auxdata, tp_snaplen, "snaplen"),
    BARESOCK_FIELD(tpacket_auxdata, tp_mac, "mac"),
    BARESOCK_FIELD(tpacket_auxdata, tp_net, "net"),
    BARESOCK_FIELD(tpacket_auxdata, tp_vlan_tci, "vlan_tci"),
    BARESOCK_FIELD(tpacket_auxdata, tp_vlan_tpid, "vlan_tpid"),
};

template <>
inline constexpr Field fields<tpacket_req3>[] = {
    BARESOCK_FIELD(tpacket_req3, tp_block_size, "block_size"),
    BARESOCK_FIELD(tpacket_req3, tp_block_nr, "block_nr"),
    BARESOCK_FIELD(tpacket_req3, tp_frame_size, "frame_size"),
    BARESOCK_FIELD(tpacket_req3, tp_frame_nr, "frame_nr"),
    BARESOCK_FIELD_AS(tpacket_req3, tp_retire_blk_tov, "retire_blk_tov", stored::Count<1000>),
    BARESOCK_FIELD(tpacket_req3, tp_sizeof_priv, "sizeof_priv"),
    BARESOCK_FIELD(tpacket_req3, tp_feature_req_word, "feature_req_word"),
};

template <>
inline constexpr Field fields<tpacket_rollover_stats>[] = {
    BARESOCK_FIELD(tpacket_rollover_stats, tp_all, "all"),
    BARESOCK_FIELD(tpacket_rollover_stats, tp_huge, "huge"),
    BARESOCK_FIELD(tpacket_rollover_stats, tp_failed, "failed"),
};

template <>
inline constexpr Field fields<tpacket_stats_v3>[] = {
    BARESOCK_FIELD(tpacket_stats_v3, tp_packets, "packets"),
    BARESOCK_FIELD(tpacket_stats_v3, tp_drops, "drops"),
    BARESOCK_FIELD(tpacket_stats_v3, tp_freeze_q_cnt, "freeze_q_cnt"),
};

template <>
inline constexpr Field fields<xdp_ring_offset>[] = {
    BARESOCK_FIELD(xdp_ring_offset, producer, "producer"),
    BARESOCK_FIELD(xdp_ring_offset, consumer, "consumer"),
    BARESOCK_FIELD(xdp_ring_offset, desc, "desc"),
    BARESOCK_FIELD(xdp_ring_offset, flags, "flags"),
};

template <>
inline constexpr Field fields<xdp_mmap_offsets>[] = {
    BARESOCK_FIELD(xdp_mmap_offsets, rx, "rx"),
    BARESOCK_FIELD(xdp_mmap_offsets, tx, "tx"),
    BARESOCK_FIELD(xdp_mmap_offsets, fr, "fr"),
    BARESOCK_FIELD(xdp_mmap_offsets, cr, "cr"),
};

template <>
inline constexpr Field fields<xdp_options>[] = {
    BARESOCK_FIELD(xdp_options, flags, "flags"),
};

template <>
inline constexpr Field fields<xdp_statistics>[] = {
    BARESOCK_FIELD(xdp_statistics, rx_dropped, "rx_dropped"),
    BARESOCK_FIELD(xdp_statistics, rx_invalid_descs, "rx_invalid_descs"),
    BARESOCK_FIELD(xdp_statistics, tx_invalid_descs, "tx_invalid_descs"),
    BARESOCK_FIELD(xdp_statistics, rx_ring_full, "rx_ring_full"),
    BARESOCK_FIELD(xdp_statistics, rx_fill_ring_empty_descs, "rx_fill_ring_empty_descs"),
    BARESOCK_FIELD(xdp_statistics, tx_ring_empty_descs, "tx_ring_empty_descs"),
};

template <>
inline constexpr Field fields<xdp_umem_reg>[] = {
    BARESOCK_FIELD_AS(xdp_umem_reg, addr, "addr", stored::Pointer),
    BARESOCK_FIELD(xdp_umem_reg, len, "len"),
    BARESOCK_FIELD(xdp_umem_reg, chunk_size, "chunk_size"),
    BARESOCK_FIELD(xdp_umem_reg, headroom, "headroom"),
    BARESOCK_FIELD(xdp_umem_reg, flags, "flags"),
    BARESOCK_FIELD(xdp_umem_reg, tx_metadata_len, "tx_metadata_len"),
};

} // namespace baresock
