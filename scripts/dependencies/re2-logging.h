// Takes the place of RE2's util/logging.h, by coming first with its guard: the same macros without a stream behind them. What RE2
// would print is of no use to a user (errors are returned as well), and C++'s streams and locales are a third of a megabyte.
#ifndef UTIL_LOGGING_H_
#define UTIL_LOGGING_H_

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/util.h"

struct SilentStream {
    template <typename Value>
    SilentStream &operator<<(const Value &) {
        return *this;
    }
};

struct FatalStream : SilentStream {
    ~FatalStream() { abort(); }
};

#define DCHECK(condition) assert(condition)
#define DCHECK_EQ(left, right) assert((left) == (right))
#define DCHECK_NE(left, right) assert((left) != (right))
#define DCHECK_LE(left, right) assert((left) <= (right))
#define DCHECK_LT(left, right) assert((left) < (right))
#define DCHECK_GE(left, right) assert((left) >= (right))
#define DCHECK_GT(left, right) assert((left) > (right))

#define CHECK(condition) \
    if (condition) {     \
    } else               \
        FatalStream()
#define CHECK_LT(left, right) CHECK((left) < (right))
#define CHECK_GT(left, right) CHECK((left) > (right))
#define CHECK_LE(left, right) CHECK((left) <= (right))
#define CHECK_GE(left, right) CHECK((left) >= (right))
#define CHECK_EQ(left, right) CHECK((left) == (right))
#define CHECK_NE(left, right) CHECK((left) != (right))

#define LOG_INFO SilentStream()
#define LOG_WARNING SilentStream()
#define LOG_ERROR SilentStream()
#define LOG_FATAL FatalStream()
#define LOG_QFATAL FatalStream()
#define LOG_DFATAL SilentStream()
#define LOG(severity) LOG_##severity
#define VLOG(level) SilentStream()

#endif
