package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/hex"
	"io/fs"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"time"

	"github.com/klauspost/compress/zstd"

	"partnerguard/internal/archive"
	"partnerguard/internal/sample"
)

var (
	ids = regexp.MustCompile(`"(?:id|correlationId|uniqueTokenIdentifier|originalRequestId|deviceId|sessionId|resourceServicePrincipalId)":"[^"]*"`)
	// between are two rows of a page: what is inside of a row has no moment behind its id.
	between = regexp.MustCompile(`\},\{("id":"[^"]*","createdDateTime")`)

	moments = regexp.MustCompile(`"(?:createdDateTime|authenticationStepDateTime)":"[^"]*"`)

	gaps = regexp.MustCompile(`"ipAddress":"[^"]*"`)
)

// generate makes pages of 1,000 sign-ins each, as Graph answers them: those of the
// sample, each with ids and an address of its own, so that they compress as a large
// tenant's do. The same n gives the same bytes.
func generate(n int) (pages [][]byte, size int64, err error) {
	names, err := fs.Glob(sample.FS(), "signins/signIns-*.jsonl.gz")
	if err != nil {
		return nil, 0, err
	}
	f, err := sample.FS().Open(names[0])
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, 0, err
	}
	var rows [][]byte
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		rows = append(rows, bytes.Clone(lines.Bytes()))
	}
	r := rand.New(rand.NewPCG(7, uint64(n)))
	var page bytes.Buffer
	for i := range n {
		if i%1000 == 0 {
			page.Reset()
			page.WriteString(`{"@odata.context":"https://graph.microsoft.com/beta/$metadata#auditLogs/signIns","value":[`)
		} else {
			page.WriteByte(',')
		}
		row := ids.ReplaceAllFunc(rows[r.IntN(len(rows))], func(m []byte) []byte {
			var b [16]byte
			for k := range b {
				b[k] = byte(r.Uint32())
			}
			t := hex.EncodeToString(b[:])
			name := m[:bytes.IndexByte(m, ':')+1]
			return append(name[:len(name):len(name)], `"`+t[:8]+"-"+t[8:12]+"-"+t[12:16]+"-"+t[16:20]+"-"+t[20:]+`"`...)
		})
		row = moments.ReplaceAllFunc(row, func(m []byte) []byte {
			at := time.Date(2026, 11, 1, 0, 0, r.IntN(86400*19), r.IntN(1e9), time.UTC).Format("2006-01-02T15:04:05.0000000Z")
			return append(m[:bytes.IndexByte(m, ':')+1:bytes.IndexByte(m, ':')+1], `"`+at+`"`...)
		})
		page.Write(gaps.ReplaceAll(row, []byte(`"ipAddress":"203.0.`+strconv.Itoa(r.IntN(256))+`.`+strconv.Itoa(r.IntN(256))+`"`)))
		if i%1000 == 999 || i == n-1 {
			page.WriteString("]}")
			pages = append(pages, bytes.Clone(page.Bytes()))
			size += int64(page.Len())
		}
	}
	return pages, size, lines.Err()
}

// perSegment is how many pages go into a segment: 4 MiB, as what collects commits it.
const perSegment = 10

// writePlain writes the pages as one zstd stream a segment, frame by frame as the
// archive does, each file made durable.
func writePlain(dir string, pages [][]byte) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	for n := 0; n < len(pages); n += perSegment {
		if err := plainFile(dir+"/"+strconv.Itoa(n), pages[n:min(len(pages), n+perSegment)]); err != nil {
			return err
		}
	}
	return nil
}

func plainFile(name string, pages [][]byte) error {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false))
	if err != nil {
		return err
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	var out []byte
	for _, p := range pages {
		out = enc.EncodeAll(p, out[:0])
		if _, err := f.Write(out); err != nil {
			return err
		}
	}
	return f.Sync()
}

// writeArchive keeps the pages, one run.
func writeArchive(ctx context.Context, a *archive.Archive, tenant string, pages [][]byte) error {
	now := time.Now()
	run := archive.NewRun(now)
	const resource = "signIns.interactiveUser"
	for n := 0; n < len(pages); n += perSegment {
		w, err := a.Begin(tenant)
		if err != nil {
			return err
		}
		end := min(len(pages), n+perSegment)
		for i := n; i < end; i++ {
			p := archive.Page{Tenant: tenant, Resource: resource, Run: run, Number: i, Request: "GET /beta/auditLogs/signIns", Status: 200,
				From: now.Add(-time.Hour), To: now, At: now, Body: pages[i]}
			if err := w.Add(p); err != nil {
				return err
			}
		}
		if end == len(pages) {
			err = w.End(archive.Run{ID: run, Tenant: tenant, Resource: resource, Way: "sliced", Ended: now, Whole: true, Pages: len(pages)})
			if err != nil {
				return err
			}
		}
		if _, err := w.Commit(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

// writeLines writes the rows as JSON lines into one zstd file.
func writeLines(name string, pages [][]byte) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := zstd.NewWriter(f)
	if err != nil {
		return err
	}
	for _, p := range pages {
		p = between.ReplaceAll(p[bytes.IndexByte(p, '[')+1:len(p)-2], []byte("}\n{$1"))
		if _, err := z.Write(append(p, '\n')); err != nil {
			return err
		}
	}
	return z.Close()
}
