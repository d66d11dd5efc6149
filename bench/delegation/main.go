// Command delegation measures how fast the least roles of a large partner's staff are
// derived from what is stored, and how far the choice of roles is proved.
//
// It prints seconds and the peak of memory beside what the same machine needs to decode the
// same bytes and do nothing with them, by turns; and for choices made to be hard the time,
// and how far off the answer can be. Everything is generated, the same from the same seed,
// and never leaves a temporary folder.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
)

// size says what is generated.
type size struct {
	customers, groups, acts int // acts recorded a customer
}

func main() {
	z := size{}
	var smoke bool
	var rounds int
	var child, dir string
	flag.IntVar(&z.customers, "customers", 2000, "customers, of one relationship each")
	flag.IntVar(&z.groups, "groups", 10, "access assignments a customer")
	flag.IntVar(&z.acts, "acts", 1000, "recorded acts a customer")
	flag.IntVar(&rounds, "rounds", 5, "interleaved rounds")
	flag.BoolVar(&smoke, "smoke", false, "everything once, small: that it works")
	flag.StringVar(&child, "child", "", "be the process that derives, or decodes, what lies in -dir")
	flag.StringVar(&dir, "dir", "", "the folder of the parts")
	flag.Parse()
	if smoke {
		z.customers, rounds = 40, 1
	}
	var err error
	if child != "" {
		err = work(child, dir)
	} else {
		err = measure(z, rounds, smoke)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "delegation:", err)
		os.Exit(1)
	}
}

func measure(z size, rounds int, smoke bool) error {
	fmt.Printf("%s, %d cores, GOMAXPROCS %d\n", runtime.Version(), runtime.NumCPU(), runtime.GOMAXPROCS(0))
	if smoke {
		fmt.Println("smoke: it shows that everything works, and nothing about speed")
	}
	if err := beside(z, rounds); err != nil {
		return err
	}
	hard(smoke)
	fmt.Println("moving 2,000 customers at 90 % of Microsoft's limits: NOT MEASURED here; make moves walks as many as you like through faults, without a clock")
	return nil
}
