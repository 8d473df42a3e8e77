#include "CCurlShims.h"
#include <pthread.h>
#include <stdlib.h>

struct curlshim_share {
    CURLSH *handle;
    pthread_mutex_t locks[CURL_LOCK_DATA_LAST];
};

static void lock(CURL *easy, curl_lock_data data, curl_lock_access access, void *context) {
    (void)easy;
    (void)access;
    pthread_mutex_lock(&((curlshim_share *)context)->locks[data]);
}

static void unlock(CURL *easy, curl_lock_data data, void *context) {
    (void)easy;
    pthread_mutex_unlock(&((curlshim_share *)context)->locks[data]);
}

curlshim_share *curlshim_share_new(void) {
    curlshim_share *share = calloc(1, sizeof *share);
    if (!share) return NULL;
    for (int data = 0; data < CURL_LOCK_DATA_LAST; data++) pthread_mutex_init(&share->locks[data], NULL);
    share->handle = curl_share_init();
    if (share->handle && curl_share_setopt(share->handle, CURLSHOPT_LOCKFUNC, lock) == CURLSHE_OK
        && curl_share_setopt(share->handle, CURLSHOPT_UNLOCKFUNC, unlock) == CURLSHE_OK
        && curl_share_setopt(share->handle, CURLSHOPT_USERDATA, share) == CURLSHE_OK
        && curl_share_setopt(share->handle, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS) == CURLSHE_OK
        && curl_share_setopt(share->handle, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK)
        return share;
    curlshim_share_free(share);
    return NULL;
}

CURLcode curlshim_set_share(CURL *easy, curlshim_share *share) {
    return curl_easy_setopt(easy, CURLOPT_SHARE, share->handle);
}

void curlshim_share_free(curlshim_share *share) {
    if (share->handle) curl_share_cleanup(share->handle);
    for (int data = 0; data < CURL_LOCK_DATA_LAST; data++) pthread_mutex_destroy(&share->locks[data]);
    free(share);
}
