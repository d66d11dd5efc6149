package intake

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"partnerguard/internal/evidence"
)

// sheetBytes is a workbook of one sheet.
func sheetBytes(t testing.TB, rows [][]any) []byte {
	t.Helper()
	return bookBytes(t, func(b *excelize.File) {
		for r, row := range rows {
			cell, err := excelize.CoordinatesToCellName(1, r+1)
			if err == nil {
				err = b.SetSheetRow("Sheet1", cell, &row)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

func bookBytes(t testing.TB, fill func(*excelize.File)) []byte {
	t.Helper()
	b := excelize.NewFile()
	defer func() { _ = b.Close() }()
	fill(b)
	var out bytes.Buffer
	if err := b.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

var signInHeader = []any{"CreatedDateTime", "UserPrincipalName", "AppDisplayName", "IPAddress", "Id", "Status", "ClientAppUsed"}

func signInRow(clock any, id string) []any {
	return []any{clock, id + "@x.example", "Azure Portal", "203.0.113.7", id, 0, "IMAP4"}
}

// clocksOf reads a workbook and gives the clock of each sign-in by id.
func clocksOf(t *testing.T, b []byte) (evidence.Input, map[string]string) {
	t.Helper()
	in, recs := readBytes(t, Options{}, b)
	clocks := map[string]string{}
	for _, r := range recs {
		var row struct{ CreatedDateTime, ID, Status string }
		if err := json.Unmarshal([]byte(r.Raw), &row); err != nil || r.Kind != evidence.SignIn || row.Status != "0" {
			t.Errorf("%v %v", err, r)
		}
		clocks[row.ID] = row.CreatedDateTime
	}
	return in, clocks
}

func TestWorkbook(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 20, 8, 5, 30, 0, time.UTC)
	in, clocks := clocksOf(t, sheetBytes(t, [][]any{{"Sign-ins of the tenant"}, {}, signInHeader, signInRow(at, "a"), signInRow("2026-11-21T09:00:00Z", "b")}))
	if got := fmt.Sprint(clocks); got != "map[a:2026-11-20T08:05:30Z b:2026-11-21T09:00:00Z]" || in.Status != evidence.Read || in.Format != "xlsx" {
		t.Errorf("%s %+v", got, in)
	}
	// Several sheets, one of them empty, another with a header alone.
	in, recs := readBytes(t, Options{}, bookBytes(t, func(b *excelize.File) {
		for _, name := range []string{"Log", "Users", "Empty"} {
			_, _ = b.NewSheet(name)
		}
		row := signInRow(at, "a")
		_ = b.SetSheetRow("Log", "A1", &signInHeader)
		_ = b.SetSheetRow("Log", "A2", &row)
		_ = b.SetSheetRow("Users", "A1", &[]string{"userPrincipalName", "displayName", "accountEnabled"})
		_ = b.SetSheetRow("Users", "A2", &[]any{"u@x.example", "U", true})
	}))
	if counts(in) != "1 signIn, 1 user" || len(recs) != 2 || recs[0].Src != "-#Log:2" || !strings.Contains(recs[1].Raw, `"accountEnabled":"TRUE"`) {
		t.Errorf("%s %v", counts(in), recs)
	}
}

// A CSV with the day first, opened by an Excel that has the month first: what
// it took for dates is brought back to what was written.
func TestWorkbookSwappedDates(t *testing.T) {
	t.Parallel()
	wrong := time.Date(2026, 3, 11, 7, 22, 1, 0, time.UTC) // was 03/11/2026
	_, clocks := clocksOf(t, sheetBytes(t, [][]any{signInHeader, signInRow(wrong, "a"), signInRow("25/11/2026 08:00:00", "b")}))
	if got := fmt.Sprint(clocks); got != "map[a:2026-11-03T07:22:01 b:2026-11-25T08:00:00]" {
		t.Error(got)
	}
	// A date past the twelfth cannot come from that mistake.
	right := time.Date(2026, 3, 28, 7, 22, 1, 0, time.UTC)
	_, clocks = clocksOf(t, sheetBytes(t, [][]any{signInHeader, signInRow(wrong, "a"), signInRow(right, "c"), signInRow("25/11/2026 08:00:00", "b")}))
	if got := fmt.Sprint(clocks); got != "map[a:2026-03-11T07:22:01Z b:25/11/2026 08:00:00 c:2026-03-28T07:22:01Z]" {
		t.Error(got)
	}
}

// A workbook that cannot be read is named with what helps.
func TestHostileWorkbook(t *testing.T) {
	t.Parallel()
	good := sheetBytes(t, [][]any{signInHeader, signInRow("2026-11-20T08:00:00Z", "a")})
	for _, c := range []struct {
		name string
		zip  []byte
		want string
	}{
		{"no parts", zipped(t, zipFile{"xl/workbook.xml", "<workbook/>"}), "an Excel workbook"},
		{"not XML", zipped(t, zipFile{"xl/workbook.xml", "<workbook"}), "a part that is damaged"},
		{"a sheet that breaks off", repacked(t, good, "xl/worksheets/sheet1.xml", func(s string) string { return s[:strings.Index(s, "</row>")+6] }),
			"a part that is damaged"},
		{"a sheet that is not there", repacked(t, good, "xl/worksheets/sheet1.xml", nil), "a sheet that cannot be read"},
		{"too many texts", repacked(t, good, "xl/sharedStrings.xml", func(string) string {
			return "<sst>" + strings.Repeat("<si/>", 2_000_001) + "</sst>"
		}), "unpacks to more than is read"},
		{"too deep", repacked(t, good, "xl/styles.xml", func(string) string { return strings.Repeat("<a>", 600) + strings.Repeat("</a>", 600) }),
			"unpacks to more than is read"},
		{"a text that is not there", repacked(t, good, "xl/sharedStrings.xml", func(string) string { return "<sst/>" }), ""},
		{"a row of another planet", repacked(t, good, "xl/worksheets/sheet1.xml", func(s string) string {
			return strings.Replace(s, `r="2"`, `r="99999999"`, 1)
		}), "a sheet that cannot be read"},
		{"empty", sheetBytes(t, nil), "the workbook has no table in it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in, _ := readBytes(t, Options{}, c.zip)
			if c.want == "" {
				return
			}
			if len(in.Notes) == 0 || !strings.Contains(in.Notes[0].Message, c.want) || in.Status != evidence.Unreadable {
				t.Errorf("%s %v, want %q", in.Status, in.Notes, c.want)
			}
			if in.Status == evidence.Unreadable && c.name != "empty" && !strings.Contains(in.Notes[0].Message, "CSV (UTF-8)") {
				t.Errorf("does not say what helps: %v", in.Notes)
			}
		})
	}
}

// repacked is a zip with one part changed, or without it.
func repacked(t testing.TB, b []byte, name string, change func(string) string) []byte {
	t.Helper()
	var files []zipFile
	for _, f := range unzipped(t, b) {
		if f.name == name {
			if change == nil {
				continue
			}
			f.text = change(f.text)
		}
		files = append(files, f)
	}
	return zipped(t, files...)
}

// FuzzWorkbook: a sheet of any text is read or named.
func FuzzWorkbook(f *testing.F) {
	good := sheetBytes(f, [][]any{{"userPrincipalName", "displayName"}, {"x", 46346.5}})
	for _, z := range unzipped(f, good) {
		if z.name == "xl/worksheets/sheet1.xml" || z.name == "xl/sharedStrings.xml" || z.name == "xl/styles.xml" {
			f.Add(z.name, z.text)
		}
	}
	f.Add("xl/workbook.xml", "<workbook><workbookPr date1904='1'/><sheets><sheet name='a' sheetId='1' r:id='rId1'/></sheets></workbook>")
	f.Fuzz(func(t *testing.T, part, text string) {
		s := &strictSink{t: t}
		b := repacked(t, good, part, func(string) string { return text })
		ins, err := Read(context.Background(), Options{Stdin: bytes.NewReader(b)}, []string{"-"}, s)
		if err != nil {
			t.Fatal(err)
		}
		for _, in := range ins {
			checkInput(t, in)
		}
	})
}
