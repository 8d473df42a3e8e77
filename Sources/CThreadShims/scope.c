#include "scope.h"

static _Thread_local void *scope;

void *thread_scope(void) { return scope; }
void set_thread_scope(void *value) { scope = value; }
