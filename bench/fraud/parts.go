package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"partnerguard/internal/fraud/detect"
)

// end is the window's end.
var end = time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)

func id(kind, n int) string { return fmt.Sprintf("%08x-0000-4000-8000-%012x", kind, n) }

// noise is a number below n that a seed gives.
func noise(seed, n uint64) uint64 {
	seed = (seed + 1) * 0x9e3779b97f4a7c15
	seed ^= seed >> 31
	return seed * 0xbf58476d1ce4e5b9 >> 33 % n
}

// usage is the hour of a meter: by day more than by night, and at every 200th subscription thirty
// times as much in the last week.
func usage(sub, meter, hour int, hours int) detect.Usage {
	from := end.Add(time.Duration(hour-hours) * time.Hour)
	q := 10 + float64(noise(uint64(sub*1_000_003+meter*7919+hour), 30))/10
	if h := from.Hour(); h >= 8 && h < 18 {
		q *= 1.5
	}
	if sub%200 == 199 && meter == 0 && hour > hours-24*7 {
		q *= 30
	}
	return detect.Usage{Subscription: id(2, sub), From: from, To: from.Add(time.Hour), Meter: fmt.Sprint("m", meter), Category: []string{"Virtual Machines", "Storage",
		"Bandwidth"}[meter%3], Name: "D4s v5", Region: "westeurope", Quantity: q, Price: 0.2, Cost: q * 0.2, Currency: "USD"}
}

// write makes the parts, each with its length in front, and lines of the first customers.
func write(dir string, z size) (n int64, err error) {
	f, err := os.Create(filepath.Join(dir, "parts"))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	b := bufio.NewWriterSize(f, 1<<20)
	if err := os.Mkdir(filepath.Join(dir, "usage"), 0o700); err != nil {
		return 0, err
	}
	g, err := os.Create(filepath.Join(dir, "usage", "a.jsonl"))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	lines := bufio.NewWriterSize(g, 1<<20)
	for c := range min(z.customers, distinct) {
		raw, err := part(c, z, lines)
		if err != nil {
			return n, err
		}
		for k := c; k < z.customers; k += distinct {
			if err := binary.Write(b, binary.LittleEndian, uint64(len(raw))); err != nil {
				return n, err
			}
			if _, err := b.Write(raw); err != nil {
				return n, err
			}
			n += int64(len(raw))
		}
	}
	return n, errors.Join(b.Flush(), lines.Flush())
}

// distinct is how many customers differ; the others are copies of them, so that making them
// takes seconds and not minutes.
const distinct = 50

// part folds one customer's use; of the first ten it also writes the lines.
func part(c int, z size, lines io.Writer) ([]byte, error) {
	p, hours := detect.NewPart(id(1, c)), z.days*24
	for s := range z.subs {
		for m := range z.meters {
			for h := range hours {
				u := usage(c*z.subs+s, m, h, hours)
				p.Usage(&u)
				if c < 10 {
					fmt.Fprintf(lines, form+"\n", id(9, 1), id(1, c), c, u.Subscription, u.Subscription, u.From.Format("2006-01-02T15:04:05Z"), u.Meter, u.Category,
						u.Name, u.Region, m, u.Quantity, u.Cost, u.Cost)
				}
			}
		}
	}
	return p.MarshalBinary()
}

// form is a line of the export.
const form = `{"PartnerId":"%s","CustomerId":"%s","CustomerName":"Customer %d","SubscriptionId":"%s","EntitlementId":"%s","UsageDate":"%s",` +
	`"MeterId":"%s","MeterCategory":"%s","MeterName":"%s","ResourceLocation":"%s","ResourceURI":"/subscriptions/x/%d","ChargeType":"New","Quantity":%.4f,` +
	`"BillingPreTaxTotal":%.4f,"BillingCurrency":"USD","PricingPreTaxTotal":%.4f,"PricingCurrency":"USD","AdditionalInfo":""}`

// each calls f with each stored part, on all processors.
func each(dir string, f func(raw []byte) error) error {
	file, err := os.Open(filepath.Join(dir, "parts"))
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	in := bufio.NewReaderSize(file, 1<<20)
	var wg sync.WaitGroup
	next, fault := make(chan []byte), make(chan error, runtime.GOMAXPROCS(0))
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for raw := range next {
				if err := f(raw); err != nil {
					select {
					case fault <- err:
					default:
					}
				}
			}
		})
	}
	for {
		var n uint64
		if err = binary.Read(in, binary.LittleEndian, &n); err != nil {
			break
		}
		raw := make([]byte, n)
		if _, err = io.ReadFull(in, raw); err != nil {
			break
		}
		next <- raw
	}
	close(next)
	wg.Wait()
	close(fault)
	if err == io.EOF {
		return <-fault
	}
	return err
}

// work is the process that is measured.
func work(what, dir string) error {
	switch what {
	case "judge", "decode":
		var mu sync.Mutex
		found, parts := 0, 0
		err := each(dir, func(raw []byte) error {
			p := new(detect.Part)
			if err := p.UnmarshalBinary(raw); err != nil {
				return err
			}
			n := 0
			if what == "judge" {
				n = len(detect.Judge(p, detect.Options{}, time.Time{}, end).Findings)
			}
			mu.Lock()
			defer mu.Unlock()
			found, parts = found+n, parts+1
			return nil
		})
		fmt.Printf("- %d parts, %d findings\n", parts, found)
		return err
	case "hour":
		return hour(dir)
	case "read":
		r := &detect.Reader{D: detect.New(detect.Options{})}
		if err := r.FS(context.Background(), os.DirFS(dir)); err != nil {
			return err
		}
		fmt.Printf("- %d lines\n", r.Read.Usage)
		return nil
	}
	return bare(dir)
}

// hour folds one new hour of every meter, and judges it.
func hour(dir string) error {
	var mu sync.Mutex
	var parts []*detect.Part
	err := each(dir, func(raw []byte) error {
		p := new(detect.Part)
		err := p.UnmarshalBinary(raw)
		mu.Lock()
		defer mu.Unlock()
		parts = append(parts, p)
		return err
	})
	if err != nil {
		return err
	}
	began := time.Now()
	for _, p := range parts {
		for k, s := range p.Subscriptions() {
			for m := range 3 {
				u := usage(k, m, 0, 0)
				u.Subscription = s
				p.Usage(&u)
			}
		}
	}
	r := detect.JudgeAll(parts, detect.Options{}, end, end.Add(time.Hour))
	fmt.Printf("%s %d findings\n", time.Since(began), len(r.Findings))
	return nil
}

// bare decodes the lines and does nothing with them.
func bare(dir string) error {
	f, err := os.Open(filepath.Join(dir, "usage", "a.jsonl"))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	lines, n := bufio.NewScanner(f), 0
	for lines.Scan() {
		var row struct {
			CustomerID, EntitlementID, UsageDate, MeterID, MeterCategory, MeterName, ResourceLocation, BillingCurrency string
			Quantity, BillingPreTaxTotal, PricingPreTaxTotal                                                           float64
		}
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			return err
		}
		n++
	}
	fmt.Printf("- %d lines\n", n)
	return lines.Err()
}
