// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every function of the library, with the version that it was released in,
 * declared once more: another type does not compile. What was released never
 * changes, and never goes.
 */
#include <wtrack/wtrack.h>

#ifdef __cplusplus
#define C extern "C"
#else
#define C extern
#endif
#define FUNCTION(version, type, name, ...) C type name(__VA_ARGS__)

FUNCTION(1.0, const char *, wtrack_strerror, int err);
FUNCTION(1.0, int, wtrack_event_get_type, const struct wtrack_event *event);
FUNCTION(1.0, uint64_t, wtrack_event_get_seq, const struct wtrack_event *event);
FUNCTION(1.0, uint64_t, wtrack_event_get_time_ns,
	const struct wtrack_event *event);
FUNCTION(1.0, uint64_t, wtrack_event_get_gpa, const struct wtrack_event *event);
FUNCTION(1.0, uint64_t, wtrack_event_get_gfn, const struct wtrack_event *event);
FUNCTION(1.0, const void *, wtrack_event_get_data,
	const struct wtrack_event *event);
FUNCTION(1.0, size_t, wtrack_event_get_len, const struct wtrack_event *event);
FUNCTION(1.0, size_t, wtrack_event_get_total, const struct wtrack_event *event);
FUNCTION(1.0, bool, wtrack_event_has_data, const struct wtrack_event *event);
FUNCTION(1.0, bool, wtrack_event_has_more, const struct wtrack_event *event);
FUNCTION(1.0, bool, wtrack_event_is_l2, const struct wtrack_event *event);
FUNCTION(1.0, bool, wtrack_event_is_page, const struct wtrack_event *event);
FUNCTION(1.0, bool, wtrack_event_is_once, const struct wtrack_event *event);
FUNCTION(1.0, bool, wtrack_event_is_async, const struct wtrack_event *event);
FUNCTION(1.0, bool, wtrack_event_is_smm, const struct wtrack_event *event);
FUNCTION(1.0, int, wtrack_event_get_vcpu, const struct wtrack_event *event);
FUNCTION(1.0, int, wtrack_event_get_rip, const struct wtrack_event *event,
	uint64_t *ret);
FUNCTION(1.0, uint64_t, wtrack_event_get_nr_pages,
	const struct wtrack_event *event);
FUNCTION(1.0, uint64_t, wtrack_event_get_nr_tracked,
	const struct wtrack_event *event);
FUNCTION(1.0, uint32_t, wtrack_event_get_action,
	const struct wtrack_event *event);
FUNCTION(1.0, uint32_t, wtrack_event_get_cause,
	const struct wtrack_event *event);
FUNCTION(1.0, int, wtrack_get_info, struct wtrack_info *ret, size_t size);
FUNCTION(1.0, int, wtrack_session_add, struct wtrack_session *session,
	const struct wtrack_range *ranges, size_t nr_ranges,
	struct wtrack_result *results, unsigned int flags);
FUNCTION(1.0, int, wtrack_session_rearm, struct wtrack_session *session,
	const struct wtrack_range *ranges, size_t nr_ranges,
	struct wtrack_result *results, unsigned int flags);
FUNCTION(1.0, int, wtrack_session_remove, struct wtrack_session *session,
	const struct wtrack_range *ranges, size_t nr_ranges,
	struct wtrack_result *results, unsigned int flags);
FUNCTION(1.0, int, wtrack_session_remove_fenced, struct wtrack_session *session,
	const struct wtrack_range *ranges, size_t nr_ranges,
	struct wtrack_result *results, unsigned int flags, uint64_t *ret_seq);
FUNCTION(1.0, int, wtrack_session_query, struct wtrack_session *session,
	uint64_t *gfn, struct wtrack_range *ranges, size_t nr_ranges);
FUNCTION(1.0, int, wtrack_session_query_gfn, struct wtrack_session *session,
	uint64_t gfn, uint32_t *ret_users, uint32_t *ret_state);
FUNCTION(1.0, int, wtrack_session_resync_next, struct wtrack_session *session,
	struct wtrack_resync_range *ret);
FUNCTION(1.0, int, wtrack_session_set_budget, struct wtrack_session *session,
	uint32_t budget, uint32_t period_ms);
FUNCTION(1.0, int, wtrack_session_set_wakeup, struct wtrack_session *session,
	uint32_t watermark, uint32_t latency_us);
FUNCTION(1.0, int, wtrack_session_make_ring, struct wtrack_session *session,
	uint32_t records, unsigned int flags, uint32_t watermark,
	uint32_t latency_us);
FUNCTION(1.0, int, wtrack_session_wait, struct wtrack_session *session,
	int timeout_ms);
FUNCTION(1.0, const struct wtrack_event *, wtrack_session_next,
	struct wtrack_session *session);
FUNCTION(1.0, void, wtrack_session_release, struct wtrack_session *session);
FUNCTION(1.0, int, wtrack_session_set_sync, struct wtrack_session *session,
	uint32_t timeout_us);
FUNCTION(1.0, int, wtrack_session_get_waiters, struct wtrack_session *session,
	uint32_t *ret_waiters, uint32_t *ret_signalled);
FUNCTION(1.0, int, wtrack_session_fence, struct wtrack_session *session,
	uint64_t *ret_seq);
FUNCTION(1.0, int, wtrack_session_open, struct wtrack_session **ret);
FUNCTION(1.0, int, wtrack_session_attach, struct wtrack_session *session,
	int vm_fd);
FUNCTION(1.0, int, wtrack_session_open_vm_fd, int vm_fd,
	struct wtrack_session **ret);
FUNCTION(1.0, int, wtrack_session_open_pid, int pid,
	struct wtrack_session **ret);
FUNCTION(1.0, int, wtrack_session_open_pid_fd, int pid, int fd,
	struct wtrack_session **ret);
FUNCTION(1.0, int, wtrack_session_open_daemon, const char *vm,
	unsigned int flags, struct wtrack_session **ret, char **ret_message);
FUNCTION(1.0, int, wtrack_session_open_daemon_pid, int pid,
	unsigned int flags, struct wtrack_session **ret, char **ret_message);
FUNCTION(1.0, int, wtrack_session_open_fd, int session_fd,
	struct wtrack_session **ret);
FUNCTION(1.0, void, wtrack_session_close, struct wtrack_session *session);
FUNCTION(1.0, int, wtrack_session_get_fd, const struct wtrack_session *session);
FUNCTION(1.0, int, wtrack_session_restrict, struct wtrack_session *session,
	const struct wtrack_restriction *restriction, size_t size);
FUNCTION(1.0, int, wtrack_session_open_daemon_restricted, const char *vm,
	const struct wtrack_restriction *wanted, size_t size,
	unsigned int flags, struct wtrack_session **ret, char **ret_message);
FUNCTION(1.0, int, wtrack_request_new, const char *vm,
	const struct wtrack_restriction *wanted, size_t size,
	unsigned int flags, struct wtrack_request **ret);
FUNCTION(1.0, int, wtrack_request_get_fd, const struct wtrack_request *request);
FUNCTION(1.0, int, wtrack_request_finish, struct wtrack_request *request,
	struct wtrack_session **ret, char **ret_message);
FUNCTION(1.0, void, wtrack_request_close, struct wtrack_request *request);
FUNCTION(1.0, int, wtrack_session_read, struct wtrack_session *session,
	uint64_t gpa, void *buffer, size_t len, struct wtrack_read *ret,
	unsigned int flags);
FUNCTION(1.0, int, wtrack_session_regions_next, struct wtrack_session *session,
	uint64_t *gfn, struct wtrack_region *ret, uint64_t *ret_generation);
FUNCTION(1.0, int, wtrack_mirror_new, struct wtrack_session *session,
	const struct wtrack_mirror_options *options, size_t size,
	struct wtrack_mirror **ret);
FUNCTION(1.0, void, wtrack_mirror_close, struct wtrack_mirror *mirror);
FUNCTION(1.0, int, wtrack_mirror_add, struct wtrack_mirror *mirror,
	const struct wtrack_range *ranges, size_t nr_ranges,
	struct wtrack_result *results, unsigned int flags);
FUNCTION(1.0, int, wtrack_mirror_remove, struct wtrack_mirror *mirror,
	const struct wtrack_range *ranges, size_t nr_ranges);
FUNCTION(1.0, void, wtrack_mirror_reread, struct wtrack_mirror *mirror,
	const struct wtrack_range *ranges, size_t nr_ranges);
FUNCTION(1.0, int, wtrack_mirror_update, struct wtrack_mirror *mirror,
	const struct wtrack_change **ret);
FUNCTION(1.0, int, wtrack_mirror_sync, struct wtrack_mirror *mirror,
	const struct wtrack_change **ret);
FUNCTION(1.0, int, wtrack_mirror_wait, struct wtrack_mirror *mirror,
	int timeout_ms);
FUNCTION(1.0, int, wtrack_mirror_get_fd, const struct wtrack_mirror *mirror);
FUNCTION(1.0, const void *, wtrack_mirror_page,
	const struct wtrack_mirror *mirror, uint64_t gfn);
FUNCTION(1.0, int, wtrack_mirror_get_state,
	const struct wtrack_mirror *mirror, uint64_t gfn);
FUNCTION(1.0, int, wtrack_mirror_get_status,
	const struct wtrack_mirror *mirror, struct wtrack_mirror_status *ret,
	size_t size);
FUNCTION(1.0, int, wtrack_session_get_status, struct wtrack_session *session,
	struct wtrack_status *ret, size_t size);
