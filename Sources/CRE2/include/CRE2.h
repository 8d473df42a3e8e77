/// RE2's regular expressions (Go's own syntax, linear time) behind plain C.
#pragma once
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A compiled expression; it never changes, so any number of threads may match with it at once.
typedef struct cre2_pattern cre2_pattern;

/// Compiles `length` bytes of UTF-8. On a bad expression answers NULL and puts RE2's own text (one line, ended by NUL, cut to
/// `error_capacity` bytes) into `error`.
cre2_pattern *_Nullable cre2_compile(
    const char *_Nonnull expression, size_t length, char *_Nonnull error, size_t error_capacity);

/// Whether the expression matches anywhere in `length` bytes of text, which may hold NUL and broken UTF-8.
bool cre2_matches(const cre2_pattern *_Nonnull pattern, const char *_Nullable text, size_t length);

/// Ends the life of a pattern.
void cre2_free(cre2_pattern *_Nullable pattern);

#ifdef __cplusplus
}
#endif
