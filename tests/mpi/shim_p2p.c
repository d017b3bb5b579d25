/* Point-to-point calls of all kinds on the virtual world, without moves: modes of sending, probes,
 * completion in all families, persistent requests, cancelling, freed requests. */
#include "shim.h"

enum { MANY = 100 };

static int left, right;

static void modes(MPI_Comm comm)
{
    static char room[4 * (64 + MPI_BSEND_OVERHEAD)];
    int value, got, flag, bytes;
    MPI_Status s;
    MPI_Request r;
    void *old;

    MPI_Buffer_attach(room, sizeof room);
    for (int mode = 0; mode < 8; mode++) {
        int tag = 10 + mode;

        value = rank * 100 + mode;
        got = -1;
        if (mode == 2 || mode == 6) {
            /* A ready send needs its receive to be there. */
            OK(MPI_Irecv(&got, 1, MPI_INT, left, tag, comm, &r));
            OK(MPI_Barrier(comm));
        }
        if (mode >= 4) {
            MPI_Request send;

            if (mode == 4)
                OK(MPI_Isend(&value, 1, MPI_INT, right, tag, comm, &send));
            else if (mode == 5)
                OK(MPI_Ibsend(&value, 1, MPI_INT, right, tag, comm, &send));
            else if (mode == 6)
                OK(MPI_Irsend(&value, 1, MPI_INT, right, tag, comm, &send));
            else
                OK(MPI_Issend(&value, 1, MPI_INT, right, tag, comm, &send));
            CHECK(send != MPI_REQUEST_NULL);
            if (mode == 6)
                OK(MPI_Wait(&r, &s));
            else
                OK(MPI_Recv(&got, 1, MPI_INT, MPI_ANY_SOURCE, tag, comm, &s));
            OK(MPI_Wait(&send, MPI_STATUS_IGNORE));
            CHECK(send == MPI_REQUEST_NULL);
        } else if (mode == 2) {
            OK(MPI_Rsend(&value, 1, MPI_INT, right, tag, comm));
            OK(MPI_Wait(&r, &s));
        } else {
            if (rank % 2 == 0 || mode == 1) {
                if (mode == 0)
                    OK(MPI_Send(&value, 1, MPI_INT, right, tag, comm));
                else if (mode == 1)
                    OK(MPI_Bsend(&value, 1, MPI_INT, right, tag, comm));
                else
                    OK(MPI_Ssend(&value, 1, MPI_INT, right, tag, comm));
            }
            OK(MPI_Probe(left, MPI_ANY_TAG, comm, &s));
            CHECK(says(&s, left, tag, 1));
            OK(MPI_Recv(&got, 1, MPI_INT, left, tag, comm, &s));
            if (rank % 2 != 0 && mode != 1) {
                if (mode == 0)
                    OK(MPI_Send(&value, 1, MPI_INT, right, tag, comm));
                else
                    OK(MPI_Ssend(&value, 1, MPI_INT, right, tag, comm));
            }
        }
        CHECK(got == left * 100 + mode);
        CHECK(says(&s, left, tag, 1));
    }
    MPI_Buffer_detach(&old, &bytes);
    value = rank;
    OK(MPI_Sendrecv(&value, 1, MPI_INT, right, 1, &got, 1, MPI_INT, left, 1, comm, &s));
    CHECK(got == left && says(&s, left, 1, 1));
    OK(MPI_Sendrecv_replace(&value, 1, MPI_INT, left, 2, right, 2, comm, MPI_STATUS_IGNORE));
    CHECK(value == right);
    OK(MPI_Sendrecv(&value, 1, MPI_INT, MPI_PROC_NULL, 1, &got, 1, MPI_INT, MPI_PROC_NULL, 1, comm,
                    &s));
    CHECK(s.MPI_SOURCE == MPI_PROC_NULL);
    OK(MPI_Iprobe(MPI_ANY_SOURCE, 999, comm, &flag, MPI_STATUS_IGNORE));
    CHECK(!flag);
}

static void matched(MPI_Comm comm)
{
    int value = rank + 7, got = 0, flag = 0;
    MPI_Message m;
    MPI_Request r, send;
    MPI_Status s;

    OK(MPI_Isend(&value, 1, MPI_INT, right, 21, comm, &send));
    OK(MPI_Mprobe(left, 21, comm, &m, &s));
    CHECK(says(&s, left, 21, 1));
    CHECK(MPI_Message_f2c(MPI_Message_c2f(m)) == m);
    OK(MPI_Mrecv(&got, 1, MPI_INT, &m, &s));
    CHECK(got == left + 7 && m == MPI_MESSAGE_NULL && says(&s, left, 21, 1));
    OK(MPI_Wait(&send, MPI_STATUS_IGNORE));
    OK(MPI_Isend(&value, 1, MPI_INT, right, 22, comm, &send));
    while (!flag)
        OK(MPI_Improbe(MPI_ANY_SOURCE, 22, comm, &flag, &m, MPI_STATUS_IGNORE));
    got = 0;
    OK(MPI_Imrecv(&got, 1, MPI_INT, &m, &r));
    OK(MPI_Wait(&r, &s));
    CHECK(got == left + 7 && says(&s, left, 22, 1));
    OK(MPI_Wait(&send, MPI_STATUS_IGNORE));
    OK(MPI_Mprobe(MPI_PROC_NULL, 0, comm, &m, &s));
    CHECK(m == MPI_MESSAGE_NO_PROC);
    OK(MPI_Mrecv(&got, 1, MPI_INT, &m, MPI_STATUS_IGNORE));
}

/* Many requests, completed by each family. Receives stand at even places. */
static void families(MPI_Comm comm, int n)
{
    static int out[MANY], in[MANY];
    MPI_Request r[2 * MANY];
    MPI_Status s[2 * MANY];
    int index[2 * MANY];

    for (int how = 0; how < 6; how++) {
        int done = 0, count, flag = 0, at, seen[2 * MANY] = {0};

        for (int i = 0; i < n; i++) {
            out[i] = rank * 1000 + i + how;
            in[i] = -1;
            OK(MPI_Irecv(&in[i], 1, MPI_INT, left, i, comm, &r[2 * i]));
        }
        for (int i = 0; i < n; i++)
            OK(MPI_Isend(&out[i], 1, MPI_INT, right, i, comm, &r[2 * i + 1]));
        while (done < 2 * n) {
            if (how == 0) {
                OK(MPI_Waitall(2 * n, r, s));
                done = 2 * n;
                for (int i = 0; i < n; i++)
                    CHECK(says(&s[2 * i], left, i, 1));
            } else if (how == 1) {
                OK(MPI_Testall(2 * n, r, &flag, s));
                done = flag ? 2 * n : 0;
            } else if (how == 2 || how == 3) {
                if (how == 2)
                    OK(MPI_Waitany(2 * n, r, &at, s));
                else
                    OK(MPI_Testany(2 * n, r, &at, &flag, s));
                if (how == 3 && !flag)
                    continue;
                CHECK(at >= 0 && at < 2 * n && !seen[at] && r[at] == MPI_REQUEST_NULL);
                CHECK(at % 2 == 1 || says(s, left, at / 2, 1));
                seen[at] = 1;
                done++;
            } else {
                if (how == 4)
                    OK(MPI_Waitsome(2 * n, r, &count, index, s));
                else
                    OK(MPI_Testsome(2 * n, r, &count, index, s));
                CHECK(count >= 0);
                for (int i = 0; i < count; i++) {
                    CHECK(!seen[index[i]]);
                    seen[index[i]] = 1;
                    CHECK(index[i] % 2 == 1 || says(&s[i], left, index[i] / 2, 1));
                }
                done += count;
            }
        }
        for (int i = 0; i < n; i++)
            CHECK(in[i] == left * 1000 + i + how);
        for (int i = 0; i < 2 * n; i++)
            CHECK(r[i] == MPI_REQUEST_NULL);
        OK(MPI_Waitany(2 * n, r, &at, s));
        CHECK(at == MPI_UNDEFINED);
        OK(MPI_Waitsome(2 * n, r, &count, index, s));
        CHECK(count == MPI_UNDEFINED);
        OK(MPI_Testall(2 * n, r, &flag, MPI_STATUSES_IGNORE));
        CHECK(flag);
    }
}

static void persistent(MPI_Comm comm)
{
    int out[4], in[4];
    MPI_Request r[8];
    MPI_Status s[8];
    MPI_Datatype pair;

    MPI_Type_contiguous(1, MPI_INT, &pair);
    MPI_Type_commit(&pair);
    for (int i = 0; i < 4; i++)
        OK(MPI_Recv_init(&in[i], 1, pair, left, 40 + i, comm, &r[i]));
    OK(MPI_Send_init(&out[0], 1, pair, right, 40, comm, &r[4]));
    OK(MPI_Ssend_init(&out[1], 1, pair, right, 41, comm, &r[5]));
    OK(MPI_Send_init(&out[2], 1, pair, right, 42, comm, &r[6]));
    OK(MPI_Send_init(&out[3], 1, pair, right, 43, comm, &r[7]));
    MPI_Type_free(&pair);
    OK(MPI_Wait(&r[0], &s[0])); /* inactive: at once */
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 4; i++)
            out[i] = rank + 10 * i + 100 * round;
        OK(MPI_Startall(4, r));
        for (int i = 4; i < 8; i++)
            OK(MPI_Start(&r[i]));
        if (round % 2 == 0) {
            OK(MPI_Waitall(8, r, s));
        } else {
            for (int i = 0; i < 8; i++) {
                int at;

                OK(MPI_Waitany(8, r, &at, &s[0]));
                CHECK(at >= 0 && at < 8);
            }
        }
        for (int i = 0; i < 4; i++)
            CHECK(in[i] == left + 10 * i + 100 * round);
        for (int i = 0; i < 8; i++)
            CHECK(r[i] != MPI_REQUEST_NULL);
    }
    for (int i = 0; i < 8; i++) {
        OK(MPI_Request_free(&r[i]));
        CHECK(r[i] == MPI_REQUEST_NULL);
    }
}

static int query(void *extra, MPI_Status *s)
{
    (void) extra;
    MPI_Status_set_elements(s, MPI_INT, 3);
    MPI_Status_set_cancelled(s, 0);
    s->MPI_SOURCE = 77;
    s->MPI_TAG = 78;
    return MPI_SUCCESS;
}

static int nothing(void *extra)
{
    (void) extra;
    return MPI_SUCCESS;
}

static int cancel(void *extra, int complete)
{
    (void) extra;
    (void) complete;
    return MPI_SUCCESS;
}

static void oddities(MPI_Comm comm)
{
    int value = 5, got = 0, flag = 0;
    MPI_Request r, send;
    MPI_Status s;
    MPI_Datatype type;

    OK(MPI_Irecv(&got, 1, MPI_INT, left, 50, comm, &r));
    OK(MPI_Cancel(&r));
    OK(MPI_Wait(&r, &s));
    MPI_Test_cancelled(&s, &flag);
    CHECK(flag);

    /* Freed while active: the message arrives all the same. */
    MPI_Type_vector(1, 1, 1, MPI_INT, &type);
    MPI_Type_commit(&type);
    OK(MPI_Irecv(&got, 1, type, left, 51, comm, &r));
    MPI_Type_free(&type);
    OK(MPI_Request_free(&r));
    CHECK(r == MPI_REQUEST_NULL);
    OK(MPI_Isend(&value, 1, MPI_INT, right, 51, comm, &send));
    OK(MPI_Request_free(&send));
    OK(MPI_Sendrecv(&value, 0, MPI_INT, right, 52, NULL, 0, MPI_INT, left, 52, comm, &s));
    CHECK(got == 5 || got == 0);
    OK(MPI_Barrier(comm));

    OK(MPI_Irecv(&got, 1, MPI_INT, left, 53, comm, &r));
    CHECK(MPI_Request_f2c(MPI_Request_c2f(r)) == r);
    OK(MPI_Request_get_status(r, &flag, &s));
    OK(MPI_Send(&value, 1, MPI_INT, right, 53, comm));
    for (flag = 0; !flag;)
        OK(MPI_Request_get_status(r, &flag, &s));
    CHECK(says(&s, left, 53, 1));
    OK(MPI_Test(&r, &flag, MPI_STATUS_IGNORE));
    CHECK(flag && got == 5);

    OK(MPI_Grequest_start(query, nothing, cancel, NULL, &r));
    OK(MPI_Test(&r, &flag, &s));
    CHECK(!flag);
    OK(MPI_Grequest_complete(r));
    OK(MPI_Wait(&r, &s));
    CHECK(says(&s, 77, 78, 3));

    OK(MPI_Irecv(&got, 1, MPI_INT, MPI_PROC_NULL, 5, comm, &r));
    OK(MPI_Wait(&r, &s));
    CHECK(s.MPI_SOURCE == MPI_PROC_NULL);

    /* To itself, on the world and on MPI_COMM_SELF. */
    OK(MPI_Irecv(&got, 1, MPI_INT, 0, 3, MPI_COMM_SELF, &r));
    value = 31;
    OK(MPI_Send(&value, 1, MPI_INT, 0, 3, MPI_COMM_SELF));
    OK(MPI_Wait(&r, &s));
    CHECK(got == 31 && says(&s, 0, 3, 1));
}

static void truncation(MPI_Comm comm)
{
    int out[4] = {1, 2, 3, 4}, in[2] = {0, 0}, class;
    MPI_Request r;
    MPI_Comm own;

    OK(MPI_Comm_dup(comm, &own));
    OK(MPI_Comm_set_errhandler(own, MPI_ERRORS_RETURN));
    OK(MPI_Isend(out, 4, MPI_INT, right, 60, own, &r));
    class = MPI_Recv(in, 2, MPI_INT, left, 60, own, MPI_STATUS_IGNORE);
    MPI_Error_class(class, &class);
    CHECK(class == MPI_ERR_TRUNCATE);
    OK(MPI_Wait(&r, MPI_STATUS_IGNORE));
    class = MPI_Send(out, 1, MPI_INT, size + 5, 1, own);
    MPI_Error_class(class, &class);
    CHECK(class == MPI_ERR_RANK);
    OK(MPI_Comm_free(&own));
}

int main(int argc, char **argv)
{
    MPI_Comm dup;

    test_begin(&argc, &argv);
    left = (rank + size - 1) % size;
    right = (rank + 1) % size;
    OK(MPI_Comm_dup(MPI_COMM_WORLD, &dup));
    for (int i = 0; i < 2; i++) {
        MPI_Comm comm = i == 0 ? MPI_COMM_WORLD : dup;

        modes(comm);
        matched(comm);
        families(comm, 3);
        families(comm, MANY);
        persistent(comm);
        oddities(comm);
        truncation(comm);
    }
    OK(MPI_Comm_free(&dup));
    return test_end();
}
