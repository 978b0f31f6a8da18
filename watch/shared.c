// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "shared.h"
#include "util.h"

int shared_init(struct shared *shared)
{
	*shared = (struct shared) { .store_max = UINT32_MAX };
	shared->changes_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (shared->changes_fd < 0)
		return -errno;
	pthread_mutex_init(&shared->lock, NULL);
	return 0;
}

void shared_done(struct shared *shared)
{
	pthread_mutex_destroy(&shared->lock);
	shared->changes_fd = safe_close(shared->changes_fd);
}

void shared_tell(struct shared *shared)
{
	(void)eventfd_write(shared->changes_fd, 1);
}

bool shared_store_take(struct shared *shared)
{
	bool may;

	pthread_mutex_lock(&shared->lock);
	may = shared->nr_stored < shared->store_max;
	shared->nr_stored += may;
	pthread_mutex_unlock(&shared->lock);
	return may;
}

void shared_store_give(struct shared *shared)
{
	pthread_mutex_lock(&shared->lock);
	shared->nr_stored--;
	pthread_mutex_unlock(&shared->lock);
}

void shared_store_count(struct shared *shared)
{
	pthread_mutex_lock(&shared->lock);
	shared->nr_stored++;
	pthread_mutex_unlock(&shared->lock);
}

void shared_store_limit(struct shared *shared, uint32_t max)
{
	pthread_mutex_lock(&shared->lock);
	shared->store_max = max;
	pthread_mutex_unlock(&shared->lock);
}

struct opening *shared_open_begin(struct shared *shared, uid_t uid)
{
	struct opening *opening, *found = NULL;
	unsigned int of_user = 0;

	pthread_mutex_lock(&shared->lock);
	for (opening = shared->openings;
	     opening < shared->openings + OPENINGS_MAX; opening++) {
		of_user += opening->active && opening->uid == uid;
		if (!opening->active)
			found = opening;
	}
	if (of_user >= OPENINGS_PER_USER)
		found = NULL;
	if (found)
		*found = (struct opening) { .active = true, .uid = uid };
	pthread_mutex_unlock(&shared->lock);
	return found;
}

void shared_open_end(struct shared *shared, struct opening **opening)
{
	if (!*opening)
		return;
	pthread_mutex_lock(&shared->lock);
	(*opening)->active = false;
	pthread_mutex_unlock(&shared->lock);
	*opening = NULL;
}
