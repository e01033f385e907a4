/* threads.c - planted faults of threads, and of what outlives a call.
 *
 * Nothing here runs in threads: what a race may do is done on purpose, at its worst, so that every run is the same.
 * Each function is the mistake and nothing else; the list at the end says whose it was.   Read next: faults.c
 */
#include "verify/proof/faults/faults.h"

#include <string.h>

/* ---- threads --------------------------------------------------------------------------------------------------- */

static bool rows_lost(struct result *r)
{
    const int64_t rows = r->conv->axis[CONV_H].out, threads = r->workspace->threads;
    return !(threads > 1 && r->at[CONV_H] >= rows / threads * threads);
}

/* Threads take images in turn and add to the same dw without a lock; the last one's sum is what remains. */
static bool last_thread_wins(struct product *p)
{
    const int64_t threads = p->workspace->threads;
    return threads == 1 || p->n % threads == (p->conv->n - 1) % threads;
}

/* All threads unfold their image into one buffer; what they multiply is the last one's. */
static bool one_column_buffer(struct product *p)
{
    if (p->workspace->threads > 1)
        p->in[CONV_H] = p->in[CONV_H] / 2 * 2;
    return true;
}

/* ---- what outlives a call -------------------------------------------------------------------------------------- */

/* Plans are kept by their sizes, and the activation isn't part of the key. */
enum { PLANS = 4096 };
static struct plan { bool used; int64_t key[8]; enum conv_activation act; } plans[PLANS];

static void key_of(int64_t key[8], const struct conv_problem *conv)
{
    const struct conv_axis *H = &conv->axis[CONV_H], *W = &conv->axis[CONV_W];
    const int64_t words[8] = { conv->c, conv->k, conv->groups, H->in, W->in, H->filter, W->filter, conv->layout };
    memcpy(key, words, sizeof words);
}

static bool act_of_cached_plan(struct result *r)
{
    int64_t key[8], sum = 0;
    key_of(key, r->conv);
    for (int i = 0; i < 8; i++)
        sum = sum * 31 + key[i];
    struct plan *plan = &plans[sum % PLANS];
    if (!plan->used || memcmp(plan->key, key, sizeof key)) {
        plan->used = true;
        plan->act = r->act;
        memcpy(plan->key, key, sizeof key);
    }
    r->act = plan->act;
    return true;
}

/* The filter is flipped in a private copy that outlives the call, and flipped back by the next one. */
static bool is_flipped;

static void flip_again(const struct call *call)
{
    static struct conv_problem last;
    is_flipped = conv_problem_equal(&last, call->conv) && !is_flipped;
    last = *call->conv;
}

static bool flipped_tap(struct product *p)
{
    const struct conv_axis *W = &p->conv->axis[CONV_W];
    if (is_flipped)
        p->tap[CONV_W] = W->filter - 1 - p->tap[CONV_W];
    return true;
}

#define FAULTS(F) \
    F(bz109_race_on_gradient, "threads add to one gradient without a lock", "pytorch/pytorch #34344", STATED, \
      ALL, WEIGHTS, THREADED, .product = last_thread_wins) \
    F(bz111_one_column_buffer, "threads unfold into one buffer", "FluxML/NNlib.jl #197", STATED, \
      ALL, FORWARD, THREADED, .product = one_column_buffer) \
    F(bz112_rows_lost, "rows that don't divide by the threads are lost", "Tencent/FeatherCNN #17", INFERRED, \
      ALL, FORWARD, THREADED, .result = rows_lost) \
    F(tf58149_plan_without_activation, "plans are cached without their activation", "tensorflow/tensorflow #58149", STATED, \
      ALL, FORWARD, ONE_THREAD, .result = act_of_cached_plan) \
    F(nnlib114_every_second_call, "every second call has the filter flipped", "FluxML/NNlib.jl #114", STATED, \
      DENSE, FORWARD, ONE_THREAD, .before = flip_again, .product = flipped_tap)

FAULT_THEME(faults_of_threads, FAULTS)
