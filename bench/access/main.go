// Command access measures the access engine beside its peers on the same cases
// in one interleaved run, and prints the table of ratios; then it proves
// coverage of two large tenants of which not everything is known.
//
//	go run .          the whole table, some minutes
//	go run . -proof   the proofs alone, a minute
//	go run . -smoke   a small case: do all engines agree?
//
// All engines answer every case before anything is measured, and the run fails
// where one of them disagrees. Times are the best of the rounds. Each proof is
// a process of its own, so that its peak memory is its own.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	smoke := flag.Bool("smoke", false, "a small case, agreement only")
	proof := flag.Bool("proof", false, "the proofs alone")
	rounds := flag.Int("rounds", 7, "interleaved rounds")
	flag.Parse()
	if job := os.Getenv("PARTNERGUARD_BENCH_PROOF"); job != "" {
		exit(proofJob(job))
	}
	if *proof {
		exit(proofs())
	}
	fmt.Println("one access decision, 25 policies")
	if *smoke {
		exit(decisions(300, 1))
	}
	if err := decisions(4000, *rounds); err != nil {
		exit(err)
	}
	fmt.Println()
	exit(proofs())
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}
