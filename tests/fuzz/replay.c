/* Feeds files to a fuzz target without libFuzzer, so that every seed and every crash ever found is
 * replayed by `make check` under any compiler. Relies only on the target's one entry point. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int feed_file(const char *path, size_t size)
{
    FILE *f = fopen(path, "rb");
    /* Exactly `size` bytes on the heap, so that a sanitizer sees the first byte read past the end. */
    uint8_t *bytes = malloc(size ? size : 1);
    if (!f || !bytes || fread(bytes, 1, size, f) != size) {
        printf("not ok - %s cannot be read\n", path);
        free(bytes);
        if (f)
            fclose(f);
        return 1;
    }
    fclose(f);
    fprintf(stderr, "%s\n", path); /* the last line names the file when the target dies */
    LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    printf("ok - %s\n", path);
    fflush(stdout);
    return 0;
}

static int feed(const char *path, unsigned depth)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return 0; /* a target may have no seeds or no regressions */
    if (S_ISREG(st.st_mode))
        return feed_file(path, (size_t)st.st_size);
    DIR *dir = S_ISDIR(st.st_mode) && depth < 4 ? opendir(path) : NULL;
    if (!dir)
        return 0;
    int failed = 0;
    for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
        char child[4096];
        int n = snprintf(child, sizeof child, "%s/%s", path, e->d_name);
        if (e->d_name[0] != '.' && n > 0 && (size_t)n < sizeof child)
            failed += feed(child, depth + 1);
    }
    closedir(dir);
    return failed;
}

int main(int argc, char **argv)
{
    int failed = 0;
    for (int i = 1; i < argc; i++)
        failed += feed(argv[i], 0);
    return failed ? 1 : 0;
}
