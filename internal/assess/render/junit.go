package render

import (
	"encoding/xml"
	"io"

	"partnerguard/internal/assess"
	"partnerguard/internal/print"
)

// JUnit writes the requirements as test results, so that a pipeline can show
// them: one suite a level, one case a requirement. Not met is a failure,
// unknown an error, not applicable and not in force are skipped.
func JUnit(w io.Writer, r *assess.Report) error {
	doc := suites{Name: "partnerguard"}
	at := print.SettledTime(r.AsOf).Format("2006-01-02T15:04:05")
	levels := []*suite{{Name: "mandatory", Timestamp: at}, {Name: "recommended", Timestamp: at}}
	for i := range r.Requirements {
		q := &r.Requirements[i]
		s := levels[1]
		if mandatory(q) {
			s = levels[0]
		}
		s.add(q, causesOf(r, q.ID))
	}
	for _, s := range levels {
		doc.Tests += s.Tests
		doc.Failures += s.Failures
		doc.Errors += s.Errors
		doc.Skipped += s.Skipped
		doc.Suites = append(doc.Suites, s)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

type suites struct {
	XMLName  xml.Name `xml:"testsuites"`
	Name     string   `xml:"name,attr"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Errors   int      `xml:"errors,attr"`
	Skipped  int      `xml:"skipped,attr"`
	Suites   []*suite `xml:"testsuite"`
}

type suite struct {
	Name      string     `xml:"name,attr"`
	Tests     int        `xml:"tests,attr"`
	Failures  int        `xml:"failures,attr"`
	Errors    int        `xml:"errors,attr"`
	Skipped   int        `xml:"skipped,attr"`
	Time      string     `xml:"time,attr"` // always 0: the judging of one requirement is not timed
	Timestamp string     `xml:"timestamp,attr"`
	Cases     []testcase `xml:"testcase"`
}

type testcase struct {
	Class   string   `xml:"classname,attr"`
	Name    string   `xml:"name,attr"`
	Time    string   `xml:"time,attr"`
	Failure *outcome `xml:"failure"`
	Error   *outcome `xml:"error"`
	Skipped *outcome `xml:"skipped"`
	Output  string   `xml:"system-out,omitempty"`
}

type outcome struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

func (s *suite) add(q *assess.Requirement, causes []string) {
	s.Time = "0"
	s.Tests++
	c := testcase{
		Class: "partnerguard." + s.Name + "." + print.Clean(q.ID, print.MaxName),
		Name:  print.Clean(q.Title, print.MaxSaying),
		Time:  "0",
	}
	if c.Name == "" {
		c.Name = c.Class
	}
	message := print.Clean(q.Reason, print.MaxSaying)
	if n := fallShort(q); n != "—" && q.Verdict != assess.Met {
		message = n + ": " + message
	}
	text := ""
	if q.Action != "" {
		text = "\nTo do: " + print.Clean(q.Action, print.MaxSaying) + "\n"
	}
	for _, c := range causes {
		text += "\nFix first: " + c
	}
	for i := range q.Evidence {
		text += "\n- " + print.Clean(evidenceLine(&q.Evidence[i]), 4*print.MaxSaying)
	}
	if q.More > 0 {
		text += "\n- and " + print.Number(int64(q.More)) + " more"
	}
	if q.Age.Text != "" {
		text += "\nAge: " + print.Clean(q.Age.Text, print.MaxSaying)
	}
	if text != "" {
		text += "\n"
	}
	switch {
	case q.Verdict == assess.NotApplicable:
		s.Skipped++
		c.Skipped = &outcome{Message: "not applicable: " + message}
	case q.Verdict == assess.Met || q.Verdict == assess.Attested:
		c.Output = print.VerdictWord(q.Verdict) + ": " + message
	case !inForce(q):
		s.Skipped++
		c.Skipped = &outcome{Message: print.Named(bindingWords, q.Binding) + "; " + print.VerdictWord(q.Verdict) + ": " + message}
	case q.Verdict == assess.NotMet:
		s.Failures++
		c.Failure = &outcome{Message: message, Type: "not_met", Text: text}
	default:
		s.Errors++
		c.Error = &outcome{Message: message, Type: "unknown", Text: text}
	}
	s.Cases = append(s.Cases, c)
}
