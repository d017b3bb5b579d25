// A C++ program whose rank moves while it has a communicator, a vector in flight, and objects.
#include <mpi.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "auto.h"
#include "hmf/job.h"
#include "typemap.h"

namespace {

class Ring {
public:
    Ring()
    {
        MPI_Comm_dup(MPI_COMM_WORLD, &comm_);
        MPI_Comm_rank(comm_, &rank_);
        MPI_Comm_size(comm_, &size_);
    }
    ~Ring() { MPI_Comm_free(&comm_); }
    // The sum of what all have given, by passing it round.
    long pass(long mine) const
    {
        long sum = 0, held = mine;
        for (int i = 0; i < size_; i++) {
            sum += held;
            MPI_Sendrecv_replace(&held, 1, MPI_LONG, (rank_ + 1) % size_, 3,
                                 (rank_ + size_ - 1) % size_, 3, comm_, MPI_STATUS_IGNORE);
        }
        return sum;
    }
    int rank() const { return rank_; }
    int size() const { return size_; }

private:
    MPI_Comm comm_;
    int rank_, size_;
};

} // namespace

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    int bad = 0, gone = 0, all = 0, step = 0, moves = 0;
    {
        Ring ring;
        std::vector<long> seen(10);
        int one_int[] = {typeINT}, one_long[] = {typeLONG};

        auto_init(argv[0]);
        auto_track("step", &step, sizeof step, one_int, 1);
        auto_track("moves", &moves, sizeof moves, one_int, 1);
        auto_track("seen", seen.data(), seen.size() * sizeof(long), one_long, 1);
        if (auto_read(AUTO_MIGR))
            moves++;
        for (; all < 1 || step < 10; step++) {
            if (auto_poll(AUTO_ALL) & AUTO_MIGR) {
                gone = 1;
                break;
            }
            if (ring.rank() == 0 && step == 3)
                hmf_request_move(1, nullptr);
            seen[std::size_t(step) % seen.size()] = ring.pass(step + ring.rank());
            for (int k = step < 9 ? 0 : step - 9; k <= step; k++)
                if (seen[std::size_t(k) % seen.size()] !=
                    long(k) * ring.size() + long(ring.size()) * (ring.size() - 1) / 2)
                    bad++;
            MPI_Allreduce(&moves, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
        }
        if (!gone && bad)
            std::fprintf(stderr, "rank %d: %d wrong sums\n", ring.rank(), bad);
    }
    auto_done();
    MPI_Finalize();
    return bad != 0;
}
