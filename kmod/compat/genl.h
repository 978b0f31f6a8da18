/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KWT_GENL_GROUP_ADMIN: who joins the multicast group needs CAP_NET_ADMIN. Up to 6.7
 * a group takes the flag of an operation for that; where a group knows neither, the
 * module does not compile.
 */
#ifndef KWT_COMPAT_GENL_H
#define KWT_COMPAT_GENL_H

#include <net/genetlink.h>

#ifdef GENL_MCAST_CAP_NET_ADMIN
#define KWT_GENL_GROUP_ADMIN	GENL_MCAST_CAP_NET_ADMIN
#else
#define KWT_GENL_GROUP_ADMIN	GENL_UNS_ADMIN_PERM
#endif

#endif /* KWT_COMPAT_GENL_H */
