#include "cli/fetch.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cli/talk.h"

/* Files larger than this are not fetched; a note of absence is believed so long; transfers are gone
 * on with so often in one run. */
static const uint64_t bytes_most = UINT64_C(4) << 30;
enum { BELIEVED_SECONDS = 7 * 24 * 3600, TRIES = 3, REDIRECTS = 5, NAME_MOST = 256 };

/* One file on its way. */
struct transfer {
    struct dfr_fetch *f;
    int fd;         /* of the part */
    uint64_t have;  /* bytes of it */
    uint64_t from;  /* that stood there before this try */
    bool cut, full; /* the server sends all of it again; too much of it */
    CURL *curl;
};

static bool failed(struct dfr_fetch *f, const char *what, const char *why)
{
    snprintf(f->message, sizeof f->message, "%.5000s: %.1000s", what, why);
    return false;
}

bool dfr_fetch_init(struct dfr_fetch *f)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0 || !(f->curl = curl_easy_init()))
        return failed(f, "libcurl", "cannot be started");
    return true;
}

void dfr_fetch_deinit(struct dfr_fetch *f)
{
    if (f->curl)
        curl_easy_cleanup(f->curl);
    curl_global_cleanup();
    f->curl = NULL;
}

/* ---- Places ------------------------------------------------------------------------------------ */

struct place {
    char folder[PATH_MAX]; /* STORE/NAME/ID */
    char file[PATH_MAX], part[PATH_MAX], missing[PATH_MAX];
    char url[4096];
};

static bool make_folders(char *path, size_t from)
{
    for (char *p = path + from; *p; p++)
        if (*p == '/' && p > path) {
            *p = 0;
            int made = mkdir(path, 0777);
            *p = '/';
            if (made != 0 && errno != EEXIST)
                return false;
        }
    return mkdir(path, 0777) == 0 || errno == EEXIST;
}

static bool fits(int n, size_t size)
{
    return n > 0 && (size_t)n < size;
}

/* The parts of a path in a URL, each with what is no plain letter written as %XX. */
static bool make_url(struct dfr_fetch *f, const char *id, const char *name, const char *last,
                     struct place *p)
{
    char *parts[3] = {curl_easy_escape(f->curl, name, 0), curl_easy_escape(f->curl, id, 0),
                      curl_easy_escape(f->curl, last, 0)};
    int n = -1;
    if (parts[0] && parts[1] && parts[2])
        n = snprintf(p->url, sizeof p->url, "%s/%s/%s/%s", f->server, parts[0], parts[1], parts[2]);
    for (size_t i = 0; i < 3; i++)
        curl_free(parts[i]);
    return fits(n, sizeof p->url);
}

/* Where a file goes. `packed`: under the name of its packed form. The path's parts were checked to
 * be plain names by the library; that they are three is checked here again. */
static bool make_place(struct dfr_fetch *f, const dfr_symbol_file *file, bool packed,
                       struct place *p)
{
    char name[NAME_MOST], id[NAME_MOST], last[NAME_MOST], index[PATH_MAX];
    const char *a = file->path.p, *end = a + file->path.len;
    const char *b = memchr(a, '/', file->path.len);
    const char *c = b ? memchr(b + 1, '/', (size_t)(end - b - 1)) : NULL;
    if (!c || b == a || b - a >= NAME_MOST || c - b - 1 >= NAME_MOST || c - b < 2 ||
        end - c - 1 != b - a || memchr(a, 0, file->path.len))
        return failed(f, "path", "makes no sense");
    snprintf(name, sizeof name, "%.*s", (int)(b - a), a);
    snprintf(id, sizeof id, "%.*s", (int)(c - b - 1), b + 1);
    snprintf(last, sizeof last, "%.*s", (int)(end - c - 1), c + 1);
    if (packed)
        last[strlen(last) - 1] = '_';
    bool tiers = fits(snprintf(index, sizeof index, "%s/index2.txt", f->store), sizeof index) &&
                 access(index, F_OK) == 0 && strlen(name) > 2;
    int n = tiers ? snprintf(p->folder, sizeof p->folder, "%s/%.2s/%s/%s", f->store, name, name, id)
                  : snprintf(p->folder, sizeof p->folder, "%s/%s/%s", f->store, name, id);
    if (!fits(n, sizeof p->folder) ||
        !fits(snprintf(p->file, sizeof p->file, "%s/%s", p->folder, last), sizeof p->file) ||
        !fits(snprintf(p->part, sizeof p->part, "%s/%s.part", p->folder, last), sizeof p->part) ||
        !fits(snprintf(p->missing, sizeof p->missing, "%s/%s.missing", p->folder, name),
              sizeof p->missing) ||
        !make_url(f, id, name, last, p))
        return failed(f, name, "the path is too long");
    return true;
}

static bool known_absent(const struct place *p)
{
    struct stat st;
    return stat(p->missing, &st) == 0 && time(NULL) - st.st_mtime < BELIEVED_SECONDS;
}

static void note_absent(const struct place *p)
{
    int fd = open(p->missing, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd >= 0) /* the time of the file is the note */
        close(fd);
}

/* ---- Transfers --------------------------------------------------------------------------------- */

static size_t take_bytes(char *p, size_t size, size_t n, void *user)
{
    struct transfer *t = user;
    size_t len = size * n;
    long status = 0;
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
    /* A server that knows no ranges sends all of it: begin anew. */
    if (t->from && !t->cut && status == 200) {
        if (ftruncate(t->fd, 0) != 0 || lseek(t->fd, 0, SEEK_SET) != 0)
            return 0;
        t->have = 0;
        t->cut = true;
    }
    if (len > bytes_most - t->have) {
        t->full = true;
        return 0;
    }
    for (size_t done = 0; done < len;) {
        ssize_t w = write(t->fd, p + done, len - done);
        if (w < 0 && errno == EINTR)
            continue;
        if (w <= 0)
            return 0;
        done += (size_t)w;
    }
    t->have += len;
    return len;
}

static int show_progress(void *user, curl_off_t total, curl_off_t now, curl_off_t up_total,
                         curl_off_t up_now)
{
    const struct transfer *t = user;
    static const double mib = 1 << 20;
    (void)up_total, (void)up_now;
    if (t->f->progress && total > 0)
        fprintf(stderr, "\r\033[K%.1f of %.1f MiB", (double)(t->have) / mib,
                (double)(total + (curl_off_t)(t->cut ? 0 : t->from)) / mib);
    (void)now;
    return 0;
}

static void set_up(struct transfer *t, const char *url, char *error)
{
    CURL *c = t->curl;
    bool tls = strncasecmp(url, "https:", 6) == 0;
    curl_easy_reset(c);
    curl_easy_setopt(c, CURLOPT_URL, url);
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, error);
    curl_easy_setopt(c, CURLOPT_USERAGENT, "dfrule/" DFRULE_VERSION);
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    /* What began in private does not go on in public. */
    curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, tls ? "https" : "http,https");
    curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)REDIRECTS);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, 30L);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 64L);
    curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, 60L);
    curl_easy_setopt(c, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)bytes_most);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_bytes);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, show_progress);
    curl_easy_setopt(c, CURLOPT_XFERINFODATA, t);
    curl_easy_setopt(c, CURLOPT_NOPROGRESS, t->f->progress ? 0L : 1L);
}

/* One request for what the part lacks. */
static enum dfr_fetched request(struct transfer *t, const char *url, bool *ret_again)
{
    char error[CURL_ERROR_SIZE] = "", range[32];
    long status = 0;
    set_up(t, url, error);
    t->from = t->have;
    t->cut = false;
    if (t->from) {
        snprintf(range, sizeof range, "%llu-", (unsigned long long)t->from);
        curl_easy_setopt(t->curl, CURLOPT_RANGE, range);
    }
    CURLcode code = curl_easy_perform(t->curl);
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
    if (t->f->progress)
        fprintf(stderr, "\r\033[K");
    if (code == CURLE_OK)
        return DFR_FETCH_DONE;
    if (code == CURLE_HTTP_RETURNED_ERROR && (status == 404 || status == 410))
        return DFR_FETCH_ABSENT;
    if (code == CURLE_HTTP_RETURNED_ERROR && status == 416 && t->from)
        return DFR_FETCH_DONE; /* nothing lies behind what is there: the check tells */
    *ret_again = t->have > t->from || code == CURLE_PARTIAL_FILE;
    failed(t->f, url,
           t->full  ? "it is larger than is fetched"
           : *error ? error
                    : curl_easy_strerror(code));
    return DFR_FETCH_FAILED;
}

/* The part is the whole file: check it, and let it appear under its name. */
static enum dfr_fetched finish(struct transfer *t, const dfr_symbol_file *file,
                               const struct place *p)
{
    dfr_error error = {.message = ""};
    t->f->bytes = t->have;
    if (fsync(t->fd) != 0) {
        failed(t->f, p->part, strerror(errno));
        return DFR_FETCH_FAILED;
    }
    if (dfr_symbol_file_check(file, p->part, &error) != DFR_RESULT_OK) {
        unlink(p->part);
        failed(t->f, p->url, "what the server sent is not used: ");
        size_t n = strlen(t->f->message);
        snprintf(t->f->message + n, sizeof t->f->message - n, "%s", error.message);
        return DFR_FETCH_FAILED;
    }
    if (rename(p->part, p->file) != 0) {
        failed(t->f, p->file, strerror(errno));
        return DFR_FETCH_FAILED;
    }
    unlink(p->missing);
    return DFR_FETCH_DONE;
}

static enum dfr_fetched transfer(struct transfer *t, const dfr_symbol_file *file,
                                 const struct place *p)
{
    for (int n = 0; n < TRIES; n++) {
        bool again = false;
        enum dfr_fetched r = request(t, p->url, &again);
        if (r == DFR_FETCH_DONE)
            return finish(t, file, p);
        if (r == DFR_FETCH_ABSENT || t->full)
            unlink(p->part);
        if (r == DFR_FETCH_ABSENT || t->full || !again)
            return r;
    }
    return DFR_FETCH_FAILED; /* the part stays: another run goes on with it */
}

static enum dfr_fetched fetch_form(struct dfr_fetch *f, const dfr_symbol_file *file,
                                   const struct place *p)
{
    struct stat st;
    struct transfer t = {.f = f, .curl = f->curl};
    t.fd = open(p->part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (t.fd < 0 || fstat(t.fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        failed(f, p->part, t.fd < 0 ? strerror(errno) : "is no regular file");
        if (t.fd >= 0)
            close(t.fd);
        return DFR_FETCH_FAILED;
    }
    enum dfr_fetched r = DFR_FETCH_FAILED;
    if (flock(t.fd, LOCK_EX | LOCK_NB) != 0) {
        failed(f, p->part, "another program is fetching it");
    } else {
        t.have = (uint64_t)st.st_size;
        if (lseek(t.fd, 0, SEEK_END) < 0)
            failed(f, p->part, strerror(errno));
        else
            r = transfer(&t, file, p);
        if (t.have == 0 && r != DFR_FETCH_DONE)
            unlink(p->part);
    }
    close(t.fd);
    return r;
}

enum dfr_fetched dfr_fetch_file(struct dfr_fetch *f, const dfr_symbol_file *file)
{
    struct place plain, packed;
    f->message[0] = 0;
    f->bytes = 0;
    if (!make_place(f, file, false, &plain) || !make_place(f, file, true, &packed))
        return DFR_FETCH_FAILED;
    if (!f->retry && known_absent(&plain))
        return DFR_FETCH_KNOWN_ABSENT;
    if (!make_folders(plain.folder, 1)) {
        failed(f, plain.folder, strerror(errno));
        return DFR_FETCH_FAILED;
    }
    enum dfr_fetched r = fetch_form(f, file, &plain);
    if (r == DFR_FETCH_ABSENT)
        r = fetch_form(f, file, &packed);
    if (r == DFR_FETCH_ABSENT)
        note_absent(&plain);
    return r;
}
