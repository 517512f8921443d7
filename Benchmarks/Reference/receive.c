// An HTTP server on 127.0.0.1 that responds with "ok" and records when each POST was complete.
//
// It prints its port. GET /N responds once N POSTs have arrived since the last such request, with
// the time of each on a line. The server exits when its standard input is closed.

#include "reference.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct connection {
    int socket;
    size_t size, room;
    char *bytes;
};

static int64_t *times;
static size_t time_count, time_room;

/// The pending GET request: its socket, or -1 if there is none, and the number of POSTs it waits
/// for.
static struct {
    int socket;
    size_t count;
} waiter = {.socket = -1};

static void remember(int64_t time) {
    if (time_count == time_room) {
        time_room = time_room ? 2 * time_room : 4096;
        times = realloc(times, time_room * sizeof *times);
    }
    times[time_count++] = time;
}

static void send_bytes(int socket, const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t sent = send(socket, bytes, size, MSG_NOSIGNAL);
        if (sent <= 0) return;
        bytes += sent;
        size -= sent;
    }
}

static void answer_post(int socket) {
    static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n";
    remember(now());
    send_bytes(socket, ok, sizeof ok - 1);
}

static void answer_waiter(void) {
    if (waiter.socket < 0 || time_count < waiter.count) return;
    size_t size = 0;
    char *body = malloc(time_count * 24 + 1), head[96];
    for (size_t index = 0; index < time_count; index++)
        size += sprintf(body + size, "%lld\n", (long long)times[index]);
    time_count = 0;
    int length = sprintf(head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", size);
    send_bytes(waiter.socket, head, length);
    send_bytes(waiter.socket, body, size);
    free(body);
    waiter.socket = -1;
}

/// The size of the first request if it is complete, or 0.
static size_t complete(const struct connection *connection) {
    const char *end = memmem(connection->bytes, connection->size, "\r\n\r\n", 4);
    if (!end) return 0;
    size_t size = end + 4 - connection->bytes;
    const char *name = "\r\nContent-Length:";
    for (const char *line = connection->bytes; line < end; line++)
        if (strncasecmp(line, name, strlen(name)) == 0) size += atoi(line + strlen(name));
    return size <= connection->size ? size : 0;
}

static void serve(struct connection *connection) {
    for (size_t size; (size = complete(connection)) > 0;) {
        if (strncmp(connection->bytes, "GET /", 5) == 0) {
            waiter.socket = connection->socket;
            waiter.count = atoi(connection->bytes + 5);
        } else {
            answer_post(connection->socket);
        }
        answer_waiter();
        connection->size -= size;
        memmove(connection->bytes, connection->bytes + size, connection->size);
    }
}

static void read_more(struct connection *connection) {
    if (connection->room - connection->size < 4096) {
        connection->room = connection->room ? 2 * connection->room : 65536;
        connection->bytes = realloc(connection->bytes, connection->room + 1);
    }
    ssize_t count = read(connection->socket, connection->bytes + connection->size,
                         connection->room - connection->size);
    if (count <= 0) {
        close(connection->socket);
        free(connection->bytes);
        free(connection);
        return;
    }
    connection->size += count;
    connection->bytes[connection->size] = 0;
    serve(connection);
}

static void watch(int poll, int socket, void *connection) {
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = connection}};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, socket, &event) < 0) fail("epoll_ctl");
}

static void accept_one(int poll, int listener) {
    struct connection *connection = calloc(1, sizeof *connection);
    connection->socket = accept(listener, NULL, NULL);
    int on = 1;
    setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(poll, connection->socket, connection);
}

static int listen_on_loopback(void) {
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, size) < 0) fail("bind");
    if (listen(listener, 512) < 0) fail("listen");
    getsockname(listener, (struct sockaddr *)&address, &size);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return listener;
}

int receive(void) {
    static char end, arrival;
    int listener = listen_on_loopback(), poll = epoll_create1(0);
    watch(poll, listener, &arrival);
    watch(poll, 0, &end);
    while (1) {
        struct epoll_event events[64];
        int count = epoll_wait(poll, events, 64, -1);
        for (int index = 0; index < count; index++) {
            if (events[index].data.ptr == &end) return 0;
            if (events[index].data.ptr == &arrival) accept_one(poll, listener);
            else read_more(events[index].data.ptr);
        }
    }
}
