/* parallel.c - several verifications at a time, each in a child of its own.   Declared in convref/verify.h. */
#include <config.h>
#include <convref/verify.h>
#include <pthread.h>
#include <stdlib.h>

/* The address sanitizer of GCC 12 can deadlock in a child that was forked while another thread allocated: its
 * allocator has no hooks for fork, as malloc has.  So with a sanitizer there is one job. */
#ifdef CONV_SANITIZED
enum { MOST_JOBS = 1 };
#else
enum { MOST_JOBS = 64 };
#endif

struct pool {
    struct conv_verification *results;
    const struct conv_kernel *const *kernels;
    int count, next;
    const struct conv_verify_options *options;
    struct conv_error *error;
    enum conv_status status;
    void (*finished)(const struct conv_verification *, int done, int count);
    int done;
    pthread_mutex_t mutex;
};

/* The next kernel that nobody has taken; -1 when there is none, or something went wrong. */
static int take(struct pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    const int index = pool->status == CONV_OK && pool->next < pool->count ? pool->next++ : -1;
    pthread_mutex_unlock(&pool->mutex);
    return index;
}

static void give(struct pool *pool, int index, enum conv_status status, const struct conv_error *error)
{
    pthread_mutex_lock(&pool->mutex);
    if (status != CONV_OK && pool->status == CONV_OK) {
        pool->status = status;
        if (pool->error)
            *pool->error = *error;
    }
    pool->done++;
    if (status == CONV_OK && pool->finished)
        pool->finished(&pool->results[index], pool->done, pool->count);
    pthread_mutex_unlock(&pool->mutex);
}

static void *work(void *argument)
{
    struct pool *pool = argument;
    for (int index; (index = take(pool)) >= 0;) {
        struct conv_error error;
        give(pool, index, conv_verify_kernel(&pool->results[index], pool->kernels[index], pool->options, &error),
             &error);
    }
    return NULL;
}

enum conv_status conv_verify_kernels(struct conv_verification *results, const struct conv_kernel *const *kernels,
                                     int count, const struct conv_verify_options *options, int jobs,
                                     void (*finished)(const struct conv_verification *, int done, int count),
                                     struct conv_error *error)
{
    struct pool pool = { .results = results, .kernels = kernels, .count = count, .options = options, .error = error,
                         .finished = finished, .mutex = PTHREAD_MUTEX_INITIALIZER };
    pthread_t workers[MOST_JOBS];
    int started = 0;
    while (started < jobs - 1 && started < MOST_JOBS - 1
           && pthread_create(&workers[started], NULL, work, &pool) == 0)
        started++;
    work(&pool);   /* this thread works too, and alone if no other could be started */
    for (int i = 0; i < started; i++)
        pthread_join(workers[i], NULL);
    return pool.status;
}
