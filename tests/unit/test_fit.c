/* The arithmetic of calibration. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

#include "measure/fit.h"

static struct dfr_mem mem;
static jmp_buf guard;
static struct dfr_arena arena;

static void begin(void)
{
    dfr_mem_init(&mem, NULL, 0);
    mem.guard = &guard;
    if (setjmp(guard))
        cr_assert_fail("out of memory");
    dfr_arena_init(&arena, &mem);
}

static void end(void)
{
    dfr_arena_deinit(&arena);
    cr_assert_eq(mem.live, 0);
}

TestSuite(fit, .init = begin, .fini = end);

enum { FEATURES = 2 };

/* `n` observations with both features, of which `truths` are true, evenly spread. */
static struct dfr_observations even(uint32_t n, uint32_t truths, double score)
{
    struct dfr_observations o = {.n = n, .features = FEATURES};
    o.score = DFR_NEW_N(&arena, n, double);
    o.truth = DFR_NEW_N(&arena, n, bool);
    o.group = DFR_NEW_N(&arena, n, uint32_t);
    o.first = DFR_NEW_N(&arena, n + 1, uint32_t);
    o.feature = DFR_NEW_N(&arena, n, uint32_t);
    for (uint32_t i = 0; i < n; i++) {
        o.score[i] = score;
        o.truth[i] = (uint64_t)(i + 1) * truths / n > (uint64_t)i * truths / n;
        o.group[i] = i;
        o.first[i + 1] = i + 1;
        o.feature[i] = 0;
    }
    return o;
}

static bool near(double a, double b, double most)
{
    if (fabs(a - b) <= most)
        return true;
    fprintf(stderr, "got %f, want %f\n", a, b);
    return false;
}

Test(fit, decibans_are_odds)
{
    cr_expect(near(dfr_fit_probability(0), 0.5, 1e-12));
    cr_expect(near(dfr_fit_probability(10), 10.0 / 11, 1e-12));
    cr_expect(near(dfr_fit_probability(-20), 1.0 / 101, 1e-12));
}

Test(fit, many_data_find_the_odds_that_they_show)
{
    /* 3 of 4 true: odds of 3, which is 4.77 decibans. The pull to the author is weak against 4000. */
    struct dfr_observations o = even(4000, 3000, 0);
    double change[FEATURES];
    dfr_fit(&o, NULL, 4, 0, 0, &arena, change);
    cr_expect(near(change[0], 10 * log10(3), 0.05));
    cr_expect(near(change[1], 0, 1e-12), "a feature that nothing has stays");
}

Test(fit, the_change_adds_to_what_is_there)
{
    struct dfr_observations o = even(4000, 3000, 10);
    double change[FEATURES];
    dfr_fit(&o, NULL, 4, 0, 0, &arena, change);
    cr_expect(near(change[0], 10 * log10(3) - 10, 0.1));
    cr_expect(near(dfr_fit_score(&o, 0, change), 10 * log10(3), 0.1));
}

Test(fit, few_data_move_little_and_less_when_pulled_harder)
{
    struct dfr_observations o = even(8, 8, 0);
    double loose[FEATURES], tight[FEATURES], none[FEATURES];
    dfr_fit(&o, NULL, 4, 0, 0, &arena, loose);
    dfr_fit(&o, NULL, 1, 0, 0, &arena, tight);
    dfr_fit(&o, NULL, 0, 0, 0, &arena, none);
    cr_expect_eq(none[0], 0);
    cr_expect_gt(tight[0], 0);
    cr_expect_lt(tight[0], 1.5);
    cr_expect_gt(loose[0], tight[0]);
    cr_expect_lt(loose[0], 10, "all true, and yet finite");
}

Test(fit, the_minimum_has_no_slope)
{
    struct dfr_observations o = even(30, 10, 3);
    double change[FEATURES], c = log(10) / 10, slope;
    dfr_fit(&o, NULL, 2, 0, 0, &arena, change);
    slope = change[0] / 4;
    for (uint32_t i = 0; i < o.n; i++)
        slope += c * (dfr_fit_probability(3 + change[0]) - o.truth[i]);
    cr_expect(near(slope, 0, 1e-6));
}

Test(fit, what_is_fixed_stays)
{
    struct dfr_observations o = even(100, 90, 0);
    const bool fixed[FEATURES] = {true, false};
    double change[FEATURES];
    dfr_fit(&o, fixed, 4, 0, 0, &arena, change);
    cr_expect_eq(change[0], 0);
}

Test(fit, a_fold_is_not_seen)
{
    /* Groups 0, 5, 10, ... are all false, the others all true. */
    struct dfr_observations o = even(100, 100, 0);
    for (uint32_t i = 0; i < o.n; i += 5)
        o.truth[i] = false;
    double without[FEATURES], with[FEATURES];
    dfr_fit(&o, NULL, 4, 5, 0, &arena, without);
    dfr_fit(&o, NULL, 4, 0, 0, &arena, with);
    cr_expect_gt(without[0], with[0]);
}

Test(fit, validation_measures_what_was_not_seen)
{
    struct dfr_observations o = even(200, 150, 0);
    struct dfr_loss plain, fitted, again;
    double *held_out = DFR_NEW_N(&arena, o.n, double);
    dfr_fit_validate(&o, NULL, 0, 5, &arena, NULL, &plain);
    dfr_fit_validate(&o, NULL, 4, 5, &arena, held_out, &fitted);
    dfr_fit_validate(&o, NULL, 4, 5, &arena, NULL, &again);
    cr_expect(near(plain.brier, 0.25, 1e-12));
    cr_expect(near(plain.log_loss, log(2), 1e-12));
    cr_expect_eq(plain.gain, 0);
    cr_expect(near(fitted.brier, 0.1875, 0.005));
    cr_expect_gt(fitted.gain, fitted.gain_error);
    cr_expect(near(held_out[0], 10 * log10(3), 1));
    cr_expect_eq(fitted.brier, again.brier, "the same data, the same numbers");
}

Test(fit, noise_earns_nothing)
{
    struct dfr_observations o = even(40, 20, 0);
    struct dfr_loss loss;
    dfr_fit_validate(&o, NULL, 4, 5, &arena, NULL, &loss);
    cr_expect_leq(loss.gain, loss.gain_error);
}

Test(fit, nothing_to_fit)
{
    struct dfr_observations o = even(0, 0, 0);
    struct dfr_loss loss;
    double change[FEATURES] = {1, 1};
    o.first = DFR_NEW_N(&arena, 1, uint32_t);
    dfr_fit(&o, NULL, 4, 0, 0, &arena, change);
    dfr_fit_validate(&o, NULL, 4, 5, &arena, NULL, &loss);
    cr_expect_eq(change[0], 0);
    cr_expect_eq(loss.brier, 0);
}
