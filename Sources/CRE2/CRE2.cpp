#include "CRE2.h"

#include <re2/re2.h>

#include <cstdio>
#include <new>

struct cre2_pattern {
    RE2 expression;

    cre2_pattern(const re2::StringPiece &text, const RE2::Options &options) : expression(text, options) {}
};

cre2_pattern *cre2_compile(const char *expression, size_t length, char *error, size_t error_capacity) {
    RE2::Options options;
    options.set_log_errors(false);  // we report the error; RE2 would print it as well
    options.set_never_capture(true);
    auto *pattern = new (std::nothrow) cre2_pattern(re2::StringPiece(expression, length), options);
    if (pattern == nullptr) {
        std::snprintf(error, error_capacity, "out of memory");
        return nullptr;
    }
    if (!pattern->expression.ok()) {
        std::snprintf(error, error_capacity, "%s", pattern->expression.error().c_str());
        delete pattern;
        return nullptr;
    }
    return pattern;
}

bool cre2_matches(const cre2_pattern *pattern, const char *text, size_t length) {
    return RE2::PartialMatch(re2::StringPiece(text, length), pattern->expression);
}

void cre2_free(cre2_pattern *pattern) { delete pattern; }
