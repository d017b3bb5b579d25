/* The move protocol (doc/architecture.md, src/coord.c, src/move.c) for spin: one rank moves, with any
 * party failing at any step.
 *
 * Parties: the coordinator; a rank that stays, for all that stay; the source; the newcomer.  Each
 * may answer a wave with a failure, and the newcomer may die at any point (so may the source and a
 * stayer, but Open MPI ends the job then: nothing is left to prove).  Channels keep their order, as
 * sockets and MPI do.  Waits for MPI end when the operation is given up, as in the code.
 *
 * Claims: never two processes run as the rank; in the end exactly one process is the rank, unless
 * that one died after the commit; nobody waits for ever (no invalid end state).
 *
 * Left out one at a time, to see that the model would notice:
 *   NO_CONFIRM   the coordinator commits without hearing that the image has arrived
 *   NO_ABORT     the newcomer is not told of an abort
 *   NO_WATCH     the source waits for the newcomer without looking whether the move was given up
 *   EARLY        the newcomer runs as soon as it has its image
 *   NO_ACK       the coordinator takes the next operation before all have switched
 */
mtype = { HOLD, CUT, WORK, JOIN, COMMIT, ABORT, TAKE, DONE, FAILED, GONE, READY, IMAGE, NONE };

#define SOURCE 0
#define STAYER 1

chan wave[2] = [2] of { mtype };        /* coordinator -> rank */
chan up = [6] of { mtype, mtype };      /* ranks -> coordinator: which wave, outcome */
chan direct = [3] of { mtype };         /* coordinator -> newcomer */
chan news = [3] of { mtype };           /* newcomer -> coordinator */
chan to_source = [2] of { mtype };      /* newcomer -> source, by MPI */
chan to_newcomer = [2] of { mtype };    /* source -> newcomer, by MPI */

bool source_is_rank = true, source_runs = true;
bool newcomer_is_rank = false, newcomer_runs = false, newcomer_dead = false;
bool aborted[2];                        /* what a rank's agent knows while its main thread waits */
bool committed = false, switching = false;
byte operations = 0;

inline gather(kind, good) {
    byte i_; mtype what_;
    good = true;
    i_ = 0;
    do
    :: i_ < 2 -> up ? eval(kind), what_; if :: what_ == FAILED -> good = false :: else fi; i_++
    :: else -> break
    od
}

inline send_wave(kind) {
    wave[SOURCE] ! kind;
    wave[STAYER] ! kind
}

inline abort_all() {
    aborted[SOURCE] = true;
    aborted[STAYER] = true;
    send_wave(ABORT);
#ifndef NO_ABORT
    if :: taken -> direct ! ABORT :: else fi;
#else
    skip;
#endif
    gather(ABORT, fine)
}

active proctype coordinator()
{
    bool good, fine, taken = false;
    byte cuts = 0;
    mtype stage;

    operations++;
    send_wave(HOLD);
    gather(HOLD, good);
    if :: !good -> abort_all(); goto over :: else fi;
cut:
    send_wave(CUT);
    gather(CUT, good);
    if :: !good -> abort_all(); goto over :: else fi;
    if
    :: cuts < 2 -> cuts++; goto cut     /* something spans this poll: the ranks go on to the next */
    :: true
    fi;
    taken = true;
    direct ! TAKE;
    send_wave(WORK);
    gather(WORK, good);
    if :: !good -> abort_all(); goto over :: else fi;
    news ? stage;                       /* packed, or gone */
    if :: stage != DONE -> abort_all(); goto over :: else fi;
    direct ! JOIN;
    send_wave(JOIN);
    gather(JOIN, good);
    if :: !good -> abort_all(); goto over :: else fi;
#ifndef NO_CONFIRM
    news ? stage;                       /* restored, with its checksums right */
    if :: stage != DONE -> abort_all(); goto over :: else fi;
#endif
    committed = true;
    switching = true;
    direct ! COMMIT;
    send_wave(COMMIT);
#ifndef NO_ACK
    gather(COMMIT, good);
#endif
    switching = false;
over:
    assert(!switching);
#ifdef NO_ACK
    assert(!committed || !source_is_rank || newcomer_dead);
#endif
}

/* A rank answers each wave; it may fail in any but COMMIT and ABORT. */
inline answer(kind) {
    if
    :: up ! kind, DONE
    :: kind != COMMIT && kind != ABORT -> up ! kind, FAILED
    fi
}

active proctype stayer()
{
    mtype order;

    do
    :: wave[STAYER] ? order ->
        answer(order);
        if :: order == COMMIT || order == ABORT -> break :: else fi
    od
}

active proctype source()
{
    mtype order;

    do
    :: wave[SOURCE] ? order ->
        if
        :: order == HOLD || order == WORK -> answer(order)
        :: order == CUT -> source_runs = false; answer(order)
        :: order == JOIN ->
            /* the image goes while the wave is answered: first the answer, then the transfer */
            answer(JOIN);
            if
            :: to_source ? READY ->
                if :: to_newcomer ! IMAGE :: to_newcomer ! FAILED fi
#ifndef NO_WATCH
            :: aborted[SOURCE] -> skip
            :: newcomer_dead -> skip
#endif
            fi
        :: order == COMMIT -> source_is_rank = false; answer(COMMIT); break
        :: order == ABORT -> source_runs = true; assert(!newcomer_runs); answer(ABORT); break
        fi
    od
}

inline may_die() {
    if
    :: true
    :: newcomer_dead = true; news ! GONE; goto dead
    fi
}

active proctype newcomer()
{
    mtype order, image = NONE;
    bool good;

    /* A spare that is never asked waits for the job's end: a fine end. */
end_spare:
    direct ? order;
    if :: order == ABORT -> goto left :: else fi;
    may_die();
    if :: news ! DONE :: news ! FAILED fi;
    direct ? order;                     /* JOIN, or ABORT */
    if :: order == ABORT -> goto left :: else fi;
    may_die();
    if                                  /* its start-up may go another way than the rank's */
    :: news ! FAILED
    :: to_source ! READY;
        if
        :: to_newcomer ? image
        :: nempty(direct) -> skip       /* given up meanwhile */
        fi;
        may_die();
#ifdef EARLY
        if :: image == IMAGE -> newcomer_runs = true; assert(!source_runs) :: else fi;
#endif
        if
        :: image == IMAGE -> news ! DONE
        :: image == FAILED -> news ! FAILED
        :: else -> skip
        fi
    fi;
    direct ? order;                     /* COMMIT, or ABORT */
    if
    :: order == COMMIT ->
        assert(image == IMAGE);
        newcomer_is_rank = true;
        newcomer_runs = true;
        assert(!source_runs)
    :: else -> skip
    fi;
left:
    skip;
dead:
    skip
}

/* When all have come to rest. */
active proctype claims()
{
    timeout ->
    assert(newcomer_is_rank != source_is_rank || (committed && newcomer_dead));
    assert(source_is_rank || committed);
    assert(!source_is_rank || source_runs);
    assert(!newcomer_runs || newcomer_is_rank)
}
