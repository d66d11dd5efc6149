package render

import (
	"io"
	"strconv"
	"strings"

	"partnerguard/internal/print"
	"partnerguard/internal/rehearse"
)

// CSV writes one row a group, in the result's order (RFC 4180, UTF-8, CRLF).
func CSV(w io.Writer, r *rehearse.Result) error {
	out := print.NewSheet(w, "effect", "account", "id", "class", "app", "client", "rows", "last", "reason", "policies", "ways_out", "record_id", "source")
	for i := range r.Groups {
		g := &r.Groups[i]
		source := ""
		if g.Source.Path != "" {
			source = g.Source.String()
		}
		out.Row(string(g.Effect), g.Account, g.ID, string(g.Class), g.App, g.Client, strconv.FormatInt(g.Rows, 10), print.Stamp(g.Last), g.Reason,
			strings.Join(g.Policies, " | "), strings.Join(wayTexts(g.WaysOut), " | "), g.RecordID, source)
	}
	return out.Close()
}
