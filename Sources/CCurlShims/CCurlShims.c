#define _GNU_SOURCE
#include "CCurlShims.h"
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

CURLcode curlshim_set_long(CURL *easy, CURLoption option, long value) { return curl_easy_setopt(easy, option, value); }

CURLcode curlshim_set_offset(CURL *easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}

CURLcode curlshim_set_string(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}

CURLcode curlshim_set_pointer(CURL *easy, CURLoption option, const void *value) {
    return curl_easy_setopt(easy, option, value);
}

CURLcode curlshim_set_blob(CURL *easy, CURLoption option, const void *bytes, size_t length) {
    struct curl_blob blob = {.data = (void *)bytes, .len = length, .flags = CURL_BLOB_COPY};
    return curl_easy_setopt(easy, option, &blob);
}

CURLcode curlshim_get_long(CURL *easy, CURLINFO info, long *value) { return curl_easy_getinfo(easy, info, value); }

CURLcode curlshim_get_offset(CURL *easy, CURLINFO info, curl_off_t *value) {
    return curl_easy_getinfo(easy, info, value);
}

const char *curlshim_get_string(CURL *easy, CURLINFO info) {
    const char *value = NULL;
    return curl_easy_getinfo(easy, info, &value) == CURLE_OK ? value : NULL;
}

CURLcode curlshim_set_header_callback(CURL *easy, curlshim_bytes_callback callback, void *context) {
    CURLcode result = curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, callback);
    return result != CURLE_OK ? result : curl_easy_setopt(easy, CURLOPT_HEADERDATA, context);
}

CURLcode curlshim_set_write_callback(CURL *easy, curlshim_bytes_callback callback, void *context) {
    CURLcode result = curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, callback);
    return result != CURLE_OK ? result : curl_easy_setopt(easy, CURLOPT_WRITEDATA, context);
}

CURLcode curlshim_set_read_callback(CURL *easy, curlshim_bytes_callback callback, void *context) {
    CURLcode result = curl_easy_setopt(easy, CURLOPT_READFUNCTION, callback);
    return result != CURLE_OK ? result : curl_easy_setopt(easy, CURLOPT_READDATA, context);
}

CURLcode curlshim_set_seek_callback(CURL *easy, curlshim_seek_callback callback, void *context) {
    CURLcode result = curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, callback);
    return result != CURLE_OK ? result : curl_easy_setopt(easy, CURLOPT_SEEKDATA, context);
}

static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
    (void)context;
    (void)purpose;
    int raw = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    return raw < 0 ? CURL_SOCKET_BAD : raw;
}

CURLcode curlshim_set_private_sockets(CURL *easy) {
    return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
}

CURLM *curlshim_multi_new(void) {
    // libcurl makes the pair without the flag and tells nobody its numbers. New descriptors get the lowest free ones, and all of
    // ours have the flag: so what is near the lowest free one, a pipe or a socket, and without the flag, is the pair.
    int lowest = fcntl(0, F_DUPFD_CLOEXEC, 3);
    if (lowest < 0) lowest = 3; else close(lowest);
    CURLM *multi = curl_multi_init();
    for (int raw = lowest; multi && raw < lowest + 256; raw++) {
        int flags = fcntl(raw, F_GETFD);
        struct stat information;
        if (flags < 0 || flags & FD_CLOEXEC || fstat(raw, &information) != 0) continue;
        if (S_ISFIFO(information.st_mode) || S_ISSOCK(information.st_mode)) fcntl(raw, F_SETFD, flags | FD_CLOEXEC);
    }
    return multi;
}

CURLMcode curlshim_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

bool curlshim_multi_result(CURLM *multi, CURLcode *result) {
    int left = 0;
    for (CURLMsg *message = curl_multi_info_read(multi, &left); message; message = curl_multi_info_read(multi, &left)) {
        if (message->msg == CURLMSG_DONE) {
            *result = message->data.result;
            return true;
        }
    }
    return false;
}
