/* heat2d_files.h: the files of heat2d: floor plan in, temperatures and pictures out.  None of these
 * calls communicates; each returns 0, or -1 after a message on stderr. */
#ifndef HEAT2D_FILES_H
#define HEAT2D_FILES_H

/* What a pixel of the plan means; any other value v is air that starts at temperature v/255. */
enum { PLAN_WALL = 0, PLAN_COLD = 1, PLAN_HEATER = 255 };

struct plan {
    int width, height;    /* cells */
    unsigned char *cells; /* height rows of width, malloced */
};

/* Reads a PGM picture (P5, 8 bits); every pixel becomes refine x refine cells. */
int plan_read(const char *path, int refine, struct plan *plan);

/* Writes datasets "temperature" and "plan" and the attribute "steps".  The same values give the
 * same bytes. */
int heat_write_hdf5(const char *path, const struct plan *plan, const double *temperature,
                    int steps);

/* Writes PREFIX.png, or PREFIX.ppm where there was no libpng: cold is dark, hot is bright, heaters
 * white, walls grey. */
int heat_write_picture(const char *prefix, const struct plan *plan, const double *temperature);

#endif
