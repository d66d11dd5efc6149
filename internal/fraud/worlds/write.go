package worlds

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// window is work that was declared in deployments.yaml.
type window struct {
	customer, subscription string
	from, until            time.Time
	regions, note          string
}

// Write writes the world's files into a folder, which is made: usage/, activity/, customers.json,
// and where the world has them deployments.yaml, directoryAudits-*.jsonl and signIns-*.jsonl.
func (w *World) Write(dir string) error {
	return w.files(func(name string, text []byte) error {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if !w.style.packed || !strings.HasSuffix(name, ".jsonl") || !strings.Contains(name, "/") {
			return os.WriteFile(path, text, 0o600)
		}
		f, err := os.Create(path + ".gz")
		if err != nil {
			return err
		}
		zip, err := gzip.NewWriterLevel(f, gzip.BestSpeed)
		if err == nil {
			_, err = zip.Write(text)
		}
		if err == nil {
			err = zip.Close()
		}
		if shut := f.Close(); err == nil {
			err = shut
		}
		return err
	})
}

// Sum is the SHA-256 of the world's files, before they are packed, and of its truth.
func (w *World) Sum() string {
	sum := sha256.New()
	_ = w.files(func(name string, text []byte) error {
		fmt.Fprintf(sum, "%s %d\n", name, len(text))
		_, err := sum.Write(text)
		return err
	})
	for _, t := range w.Truth {
		fmt.Fprintln(sum, t.Customer, t.Subscription, t.Kind, t.Hidden, t.First.UnixNano(), t.Running.Unix(), t.Until.Unix(), t.Logged)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// files calls with each file in the order of the names' kinds.
func (w *World) files(file func(name string, text []byte) error) error {
	for _, write := range []func(func(string, []byte) error) error{w.customers, w.declared, w.usage, w.activity, w.directory} {
		if err := write(file); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) customers(file func(string, []byte) error) error {
	var b bytes.Buffer
	open, between, shut := "[\n", ",\n", "\n]\n"
	switch w.style.lists {
	case "value":
		open, shut = `{"value":[`+"\n", "\n]}\n"
	case "lines":
		open, between, shut = "", "\n", "\n"
	}
	b.WriteString(open)
	for i, c := range w.Customers {
		if i > 0 {
			b.WriteString(between)
		}
		o := object{b: &b}
		o.open()
		o.str("id", c.ID)
		o.str("name", c.Name)
		o.str("domain", c.Domain)
		o.str("country", c.Country)
		o.str("created", w.hour(c.Since).Format(time.RFC3339))
		var ids []string
		for _, s := range c.Subscriptions {
			ids = append(ids, `"`+s.ID+`"`)
		}
		o.raw("subscriptions", "["+strings.Join(ids, ",")+"]")
		o.shut()
	}
	b.WriteString(shut)
	return file("customers.json", b.Bytes())
}

func (w *World) declared(file func(string, []byte) error) error {
	if len(w.wins) == 0 {
		return nil
	}
	var b bytes.Buffer
	b.WriteString("deployments:\n")
	for _, win := range w.wins {
		fmt.Fprintf(&b, "  - customer: %s\n    subscription: %s\n    from: %s\n    to: %s\n    regions: [%s]\n    note: %q\n", win.customer, win.subscription,
			win.from.Format(time.RFC3339), win.until.Format(time.RFC3339), win.regions, win.note)
	}
	return file("deployments.yaml", b.Bytes())
}

// usage is one file a day of export, a month of use, or one in all.
func (w *World) usage(file func(string, []byte) error) error {
	texts := map[string]*bytes.Buffer{}
	var names []string
	for l := range w.Lines {
		name := "usage/all.jsonl"
		switch w.style.files {
		case "day":
			name = "usage/" + w.hour(l.rated).Format("2006-01-02") + ".jsonl"
		case "month":
			name = "usage/unbilled-" + w.hour(l.from).Format("200601") + ".jsonl"
		}
		b := texts[name]
		if b == nil {
			b = &bytes.Buffer{}
			texts[name], names = b, append(names, name)
		}
		w.usageLine(b, l)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := file(name, texts[name].Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// activity is one file a subscription, in the order in which Azure tells: nearly that of time.
func (w *World) activity(file func(string, []byte) error) error {
	for i, s := range w.subscriptions() {
		if s.blind {
			continue
		}
		form := w.style.form
		if w.style.mixed {
			form = []string{"rest", "diagnostic", "flat"}[i%3]
		}
		var b bytes.Buffer
		for _, a := range w.acts {
			if a.sub == s {
				w.actRows(&b, a, form)
			}
		}
		if w.style.where == "inside" && s == s.customer.Subscriptions[0] {
			for _, e := range w.events {
				if e.customer == s.customer {
					w.eventInside(&b, e, s)
				}
			}
		}
		if b.Len() == 0 {
			continue
		}
		if err := file("activity/"+s.ID+".jsonl", b.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// directory is the audits and sign-ins of each customer, as Graph gives them.
func (w *World) directory(file func(string, []byte) error) error {
	if w.style.where != "beside" {
		return nil
	}
	for _, c := range w.Customers {
		var audits, signIns bytes.Buffer
		for _, e := range w.events {
			switch {
			case e.customer != c:
			case e.activity == "":
				w.signIn(&signIns, e)
			default:
				w.audit(&audits, e)
			}
		}
		if audits.Len() > 0 {
			if err := file("directoryAudits-"+c.ID+".jsonl", audits.Bytes()); err != nil {
				return err
			}
		}
		if signIns.Len() > 0 {
			if err := file("signIns-"+c.ID+".jsonl", signIns.Bytes()); err != nil {
				return err
			}
		}
	}
	return nil
}

// object writes one JSON object; texts are written as Go quotes them, which is JSON for what
// the worlds hold.
type object struct {
	b     *bytes.Buffer
	camel bool // names that are given large become small
	comma bool
}

func (o *object) open() { o.b.WriteByte('{'); o.comma = false }
func (o *object) shut() { o.b.WriteByte('}'); o.comma = true }

func (o *object) key(name string) {
	if o.comma {
		o.b.WriteByte(',')
	}
	o.comma = true
	if o.camel {
		name = strings.ToLower(name[:1]) + name[1:]
	}
	_, _ = io.WriteString(o.b, `"`+name+`":`)
}

func (o *object) str(name, value string) {
	o.key(name)
	o.b.WriteString(quote(value))
}

func (o *object) raw(name, value string) {
	o.key(name)
	o.b.WriteString(value)
}

// in opens an object in this one.
func (o *object) in(name string) {
	o.key(name)
	o.open()
}

func quote(s string) string {
	s = strings.ReplaceAll(s, `\`, `\\`)
	return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"`
}

// decimal is millionths as a number of JSON.
func decimal(n int64) string {
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	return fmt.Sprintf("%s%d.%06d", sign, n/million, n%million)
}
