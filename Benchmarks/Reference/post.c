// Sends POSTs with libcurl's multi interface, as simply as possible in C.

#include "reference.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static size_t ignore(char *bytes, size_t size, size_t count, void *context) {
    (void)bytes;
    (void)context;
    return size * count;
}

static CURL *make(const char *url, const char *body, int byte_count, struct curl_slist *headers) {
    CURL *easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)byte_count);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
    return easy;
}

static void check(CURLMsg *message) {
    long status = 0;
    curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
    if (message->data.result == CURLE_OK && status == 200) return;
    errno = EPROTO;
    fail(curl_easy_strerror(message->data.result));
}

static int64_t cpu(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * INT64_C(1000000000)
        + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * INT64_C(1000);
}

static void send_all(CURLM *multi, int count, int in_flight) {
    int started = in_flight, done = 0;
    while (done < count) {
        int running = 0, waiting = 0;
        curl_multi_perform(multi, &running);
        for (CURLMsg *message; (message = curl_multi_info_read(multi, &waiting));) {
            if (message->msg != CURLMSG_DONE) continue;
            CURL *easy = message->easy_handle;
            check(message);
            done++;
            curl_multi_remove_handle(multi, easy);
            if (started < count) {
                started++;
                curl_multi_add_handle(multi, easy);
            } else {
                curl_easy_cleanup(easy);
            }
        }
        if (done < count) curl_multi_poll(multi, NULL, 0, 1000, NULL);
    }
}

int post(const char *url, int count, int byte_count, int in_flight) {
    curl_global_init(CURL_GLOBAL_ALL);
    char *body = malloc(byte_count);
    memset(body, 'x', byte_count);
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    headers = curl_slist_append(headers, "Expect:");
    CURLM *multi = curl_multi_init();
    if (in_flight > count) in_flight = count;
    for (int index = 0; index < in_flight; index++)
        curl_multi_add_handle(multi, make(url, body, byte_count, headers));
    int64_t start = now(), used = cpu();
    send_all(multi, count, in_flight);
    print_cost((struct cost){now() - start, cpu() - used, 0});
    return 0;
}
