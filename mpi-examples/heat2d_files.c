/* heat2d_files.c: see heat2d_files.h.  Leaves all of MPI to heat2d.c. */
#include "config.h"
#include "heat2d_files.h"

#include <hdf5.h>
#ifdef HAVE_LIBPNG
#include <png.h>
#endif
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The next number of a PGM header, past blanks and comments; -1 if there is none. */
static int header_number(FILE *in)
{
    int c, value;

    while ((c = getc(in)) != EOF) {
        if (c == '#') {
            while ((c = getc(in)) != EOF && c != '\n')
                ;
        } else if (c >= '0' && c <= '9') {
            ungetc(c, in);
            return fscanf(in, "%6d", &value) == 1 ? value : -1;
        } else if (c != ' ' && c != '\t' && c != '\r' && c != '\n') {
            return -1;
        }
    }
    return -1;
}

int plan_read(const char *path, int refine, struct plan *plan)
{
    FILE *in = fopen(path, "rb");
    unsigned char *pixels = NULL, *cells = NULL;
    int width, height, status = -1;

    if (!in) {
        perror(path);
        return -1;
    }
    if (getc(in) != 'P' || getc(in) != '5' || (width = header_number(in)) < 3 ||
        (height = header_number(in)) < 3 || header_number(in) != 255 || getc(in) == EOF ||
        (int64_t)width * height * refine * refine > INT32_MAX / 8) {
        fprintf(stderr, "%s: not a PGM picture (P5) of 8 bits and at least 3 x 3 pixels\n", path);
        goto close_file;
    }
    pixels = malloc((size_t)width * height);
    cells = malloc((size_t)width * height * refine * refine);
    if (!pixels || !cells || fread(pixels, width, height, in) != (size_t)height) {
        fprintf(stderr, "%s: shorter than its header says\n", path);
        goto close_file;
    }
    for (int y = 0; y < height * refine; y++)
        for (int x = 0; x < width * refine; x++)
            cells[(size_t)y * width * refine + x] =
                pixels[(size_t)(y / refine) * width + x / refine];
    plan->width = width * refine;
    plan->height = height * refine;
    plan->cells = cells;
    cells = NULL;
    status = 0;
close_file:
    free(cells);
    free(pixels);
    fclose(in);
    return status;
}

static int write_dataset(hid_t file, const char *name, hid_t file_type, hid_t type,
                         const struct plan *plan, const void *data)
{
    hsize_t size[2] = {plan->height, plan->width};
    hid_t space = H5Screate_simple(2, size, NULL);
    hid_t create = H5Pcreate(H5P_DATASET_CREATE);
    hid_t set;
    int status = -1;

    H5Pset_obj_track_times(create, 0);
    set = H5Dcreate2(file, name, file_type, space, H5P_DEFAULT, create, H5P_DEFAULT);
    if (set >= 0) {
        if (H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0)
            status = 0;
        if (H5Dclose(set) < 0)
            status = -1;
    }
    H5Pclose(create);
    H5Sclose(space);
    return status;
}

int heat_write_hdf5(const char *path, const struct plan *plan, const double *temperature, int steps)
{
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t space, attribute;
    int status;

    if (file < 0) {
        fprintf(stderr, "%s: cannot be created\n", path);
        return -1;
    }
    status =
        write_dataset(file, "temperature", H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, plan, temperature);
    if (write_dataset(file, "plan", H5T_STD_U8LE, H5T_NATIVE_UCHAR, plan, plan->cells))
        status = -1;
    space = H5Screate(H5S_SCALAR);
    attribute = H5Acreate2(file, "steps", H5T_STD_I32LE, space, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute < 0 || H5Awrite(attribute, H5T_NATIVE_INT, &steps) < 0)
        status = -1;
    H5Aclose(attribute);
    H5Sclose(space);
    if (H5Fclose(file) < 0)
        status = -1;
    if (status)
        fprintf(stderr, "%s: not written\n", path);
    return status;
}

/* Colour of temperature t in 0..1, with a fine dark line at every tenth. */
static void colour_of(double t, unsigned char rgb[3])
{
    static const unsigned char anchor[][3] = {
        {4, 6, 40},    {24, 28, 110},  {70, 20, 140},  {140, 30, 130},  {200, 55, 90},
        {235, 95, 50}, {250, 150, 30}, {252, 205, 70}, {255, 236, 130},
    };
    const int last = sizeof anchor / sizeof *anchor - 1;
    double place = (t < 0 ? 0 : t > 1 ? 1 : t) * last;
    int low = place >= last ? last - 1 : (int)place;
    double part = place - low;
    double line = fabs(t * 10 - floor(t * 10 + 0.5)) < 0.025 && t > 0.05 && t < 0.96 ? 0.7 : 1.0;

    for (int i = 0; i < 3; i++)
        rgb[i] =
            (unsigned char)(line * (anchor[low][i] * (1 - part) + anchor[low + 1][i] * part) + 0.5);
}

static unsigned char *paint(const struct plan *plan, const double *temperature)
{
    size_t count = (size_t)plan->width * plan->height;
    unsigned char *rgb = malloc(3 * count);

    if (!rgb)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        if (plan->cells[i] == PLAN_WALL)
            memset(rgb + 3 * i, 150, 3);
        else if (plan->cells[i] == PLAN_HEATER)
            memset(rgb + 3 * i, 255, 3);
        else
            colour_of(temperature[i], rgb + 3 * i);
    }
    return rgb;
}

static int save(const char *path, const struct plan *plan, const unsigned char *rgb)
{
#ifdef HAVE_LIBPNG
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = plan->width,
                       .height = plan->height,
                       .format = PNG_FORMAT_RGB};

    if (!png_image_write_to_file(&image, path, 0, rgb, 0, NULL)) {
        fprintf(stderr, "%s: %s\n", path, image.message);
        return -1;
    }
    return 0;
#else
    FILE *out = fopen(path, "wb");
    size_t count = (size_t)plan->width * plan->height;
    int bad = !out || fprintf(out, "P6\n%d %d\n255\n", plan->width, plan->height) < 0 ||
              fwrite(rgb, 3, count, out) != count;

    if (out && fclose(out))
        bad = 1;
    if (bad)
        perror(path);
    return bad ? -1 : 0;
#endif
}

int heat_write_picture(const char *prefix, const struct plan *plan, const double *temperature)
{
#ifdef HAVE_LIBPNG
    static const char ending[] = "png";
#else
    static const char ending[] = "ppm";
#endif
    char path[4096];
    unsigned char *rgb = paint(plan, temperature);
    int status;

    if (!rgb) {
        fprintf(stderr, "%s.%s: no memory for the picture\n", prefix, ending);
        return -1;
    }
    snprintf(path, sizeof path, "%s.%s", prefix, ending);
    status = save(path, plan, rgb);
    free(rgb);
    return status;
}
