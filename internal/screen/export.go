package screen

import (
	"encoding/json"
	"io"
	"strings"
	"time"

	"partnerguard/internal/print"
)

// Answer is what the API says of a page: the same rows, facts and numbers.
type Answer struct {
	Data    []any      `json:"data"`              // the rows of this page; of a page without a list, none
	Page    *PageOf    `json:"page,omitempty"`    // of a page with a list
	Tenant  string     `json:"tenant,omitempty"`  // whose facts
	Facts   []FactOf   `json:"facts"`             // what it rests on
	Notices []NoticeOf `json:"notices,omitempty"` // what is wrong or not whole
	Missing bool       `json:"missing,omitempty"` // nothing was ever read: not the same as none
	Summary any        `json:"summary,omitempty"`
	Chips   []FilterOf `json:"filters,omitempty"` // how many rows each value would leave
	AsOf    time.Time  `json:"asOf"`
}

// PageOf says which part of the rows an answer has.
type PageOf struct {
	Number  int `json:"number"`
	Size    int `json:"size"`
	Pages   int `json:"pages"`
	Matched int `json:"matched"` // rows that the query lets through
	Total   int `json:"total"`   // rows that the caller may see
}

// FactOf is a Fact for programs.
type FactOf struct {
	What    string     `json:"what"`
	At      *time.Time `json:"at"` // null: never read
	Seconds int64      `json:"maxAgeSeconds,omitempty"`
	Gaps    int        `json:"gaps"`
	Source  string     `json:"source,omitempty"`
	Decides bool       `json:"decides"`
	State   string     `json:"state"` // "in time", "late", "stale"
}

// NoticeOf is a Notice for programs.
type NoticeOf struct {
	Level string `json:"level"` // "bad", "doubt", "good", "info"
	Text  string `json:"text"`
	Done  int64  `json:"done,omitempty"`
	Of    int64  `json:"of,omitempty"`
}

// FilterOf counts the values of one filter.
type FilterOf struct {
	Name   string         `json:"name"`
	Counts map[string]int `json:"counts"`
}

// Answer is what a program gets.
func (l *Loaded) Answer() *Answer {
	v := l.View
	a := &Answer{Data: []any{}, Tenant: l.Ask.Tenant.ID, Facts: []FactOf{}, Missing: v.Missing, Summary: v.Summary, AsOf: l.Ask.Now.UTC()}
	for i := range v.Facts {
		x := &v.Facts[i]
		f := FactOf{What: x.What, Seconds: int64(x.Allows.Seconds()), Gaps: x.Gaps, Source: x.Source, Decides: x.Rests,
			State: []string{"in time", "late", "stale"}[x.old(l.Ask.Now)]}
		if !x.At.IsZero() {
			at := x.At.UTC()
			f.At = &at
		}
		a.Facts = append(a.Facts, f)
	}
	for _, n := range v.Notices {
		level := map[string]string{print.Bad.Class: "bad", print.Doubt.Class: "doubt", print.Good.Class: "good"}[n.Tone.Class]
		if level == "" {
			level = "info"
		}
		a.Notices = append(a.Notices, NoticeOf{level, strings.TrimSpace(n.Lead + " " + n.Text), n.Done, n.Of})
	}
	if v.Missing && v.Nothing != nil {
		a.Notices = append(a.Notices, NoticeOf{Level: "doubt", Text: strings.TrimSpace(print.Ended(v.Nothing.Head) + " " + v.Nothing.Text)})
	}
	if s := l.Rows; s != nil {
		size := s.Query.Size
		if size <= 0 {
			size = Size
		}
		a.Page = &PageOf{s.Page, size, s.Pages, s.Matched, s.Total}
		a.Data = append(a.Data, s.Items...)
		for _, c := range s.Chips {
			f := FilterOf{c.Name, map[string]int{}}
			for _, chip := range c.List {
				f.Counts[chip.Value] = chip.Count
			}
			a.Chips = append(a.Chips, f)
		}
	}
	return a
}

// JSON writes every row that the query lets through, with what Answer says beside them,
// one row a line.
func (l *Loaded) JSON(w io.Writer) error {
	a := l.Answer()
	a.Data = nil
	head, err := json.Marshal(a)
	if err != nil {
		return err
	}
	if l.Rows != nil && a.Page != nil {
		a.Page.Number, a.Page.Pages, a.Page.Size = 1, 1, l.Rows.Matched
		if head, err = json.Marshal(a); err != nil {
			return err
		}
	}
	const empty = `{"data":null`
	rest := strings.TrimPrefix(string(head), empty)
	if _, err := io.WriteString(w, `{"data":[`); err != nil {
		return err
	}
	first := true
	if l.Rows != nil {
		l.Rows.All(func(_ func() []string, row any) bool {
			var line []byte
			if line, err = json.Marshal(row); err != nil {
				return false
			}
			sep := ",\n"
			if first {
				sep, first = "\n", false
			}
			_, err = io.WriteString(w, sep+string(line))
			return err == nil
		})
	}
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, "]"+rest+"\n")
	return err
}

// CSV writes every row that the query lets through, for spreadsheets: guarded by
// print.Sheet, UTF-8.
func (l *Loaded) CSV(w io.Writer) error {
	if l.Rows == nil {
		return nil
	}
	sheet := print.NewSheet(w, l.Rows.Names...)
	l.Rows.All(func(words func() []string, _ any) bool {
		sheet.Row(words()...)
		return true
	})
	return sheet.Close()
}
