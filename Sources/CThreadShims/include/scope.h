#pragma once
// One pointer a thread: what the thread's work belongs to. Swift has no variables of a thread's own.

#pragma clang assume_nonnull begin

/// The calling thread's pointer; NULL until it is set.
void *_Nullable thread_scope(void);
void set_thread_scope(void *_Nullable scope);

#pragma clang assume_nonnull end
