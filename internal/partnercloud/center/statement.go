package center

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/market"
)

// linesPerPage is how many lines of text a page of a statement holds.
const linesPerPage = 60

// pdf makes a document of plain lines in a font that every reader has. It knows no
// more than that: letters outside of Latin come out as question marks.
func pdf(lines []string) []byte {
	var b bytes.Buffer
	var at []int
	put := func(format string, args ...any) {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n", len(at))
		fmt.Fprintf(&b, format, args...)
		b.WriteString("\nendobj\n")
	}
	pages := max(1, (len(lines)+linesPerPage-1)/linesPerPage)
	b.WriteString("%PDF-1.4\n")
	put("<< /Type /Catalog /Pages 2 0 R >>")
	kids := make([]string, pages)
	for i := range kids {
		kids[i] = fmt.Sprintf("%d 0 R", 4+2*i)
	}
	put("<< /Type /Pages /Count %d /Kids [%s] >>", pages, strings.Join(kids, " "))
	put("<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>")
	for i := range pages {
		put("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents %d 0 R >>", 5+2*i)
		var text strings.Builder
		text.WriteString("BT /F1 8 Tf 40 800 Td 12 TL\n")
		for _, l := range lines[min(i*linesPerPage, len(lines)):min((i+1)*linesPerPage, len(lines))] {
			text.WriteString("(" + pdfText(l) + ") Tj T*\n")
		}
		text.WriteString("ET")
		put("<< /Length %d >>\nstream\n%s\nendstream", text.Len(), text.String())
	}
	table := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, n := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", n)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, table)
	return b.Bytes()
}

// pdfText writes a line in the document's alphabet, with what means something escaped.
func pdfText(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '(' || r == ')' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r >= ' ' && r < 0x7f:
			b.WriteRune(r)
		case r >= 0xa0 && r <= 0xff:
			fmt.Fprintf(&b, "\\%03o", r)
		default:
			b.WriteByte('?')
		}
	}
	return b.String()
}

func document(name string, lines []string) reply {
	return reply{status: http.StatusOK, raw: pdf(lines), header: map[string]string{"Content-Type": "application/pdf",
		"Content-Disposition": "attachment; filename=" + name}}
}

// invoiceStatement is the invoice as a document: its lines by customer, and that none
// of it is real.
func invoiceStatement(k *call, v issued) (reply, *fault) {
	b := k.month(v.month)
	currency := k.billingCurrency()
	lines := []string{"INVOICE " + v.id, "", "This invoice is of the partner cloud, a local double. It is not Microsoft's.", market.Invented,
		"Tax is not calculated.", "", "Bill to: " + k.partner.Name, "Date: " + v.date.Format(time.DateOnly),
		"Period: " + v.month.Format(time.DateOnly) + " to " +
			market.After(v.month, 1).AddDate(0, 0, -1).Format(time.DateOnly), ""}
	for i := 0; i < len(b.lines); {
		c := b.lines[i].customer
		lines = append(lines, c.Name+" ("+c.Domain+")")
		for ; i < len(b.lines) && b.lines[i].customer == c; i++ {
			l := &b.lines[i]
			what := l.name
			if l.meter != "" {
				what = l.azure + ", " + l.meter
			}
			lines = append(lines, fmt.Sprintf("  %-52.52s %-16s %6d %14.2f", what, l.charge.Kind, l.charge.Quantity, l.amount.Float()))
		}
	}
	lines = append(lines, "", fmt.Sprintf("%-78s %14.2f %s", "Total", b.total.Float(), currency))
	return document("Invoice_"+v.id+".pdf", lines), nil
}

func receiptStatement(k *call, v issued) (reply, *fault) {
	if !v.paid || k.params["receipt"] != k.receiptOf(v) {
		return reply{}, deny(entra.CenterNotFound)
	}
	return document("Receipt_"+k.receiptOf(v)+".pdf", []string{"RECEIPT " + k.receiptOf(v), "",
		"This receipt is of the partner cloud, a local double. It is not Microsoft's.", market.Invented, "", "Received for invoice " + v.id,
		"On " + v.date.Add(paidAfter).Format(time.DateOnly), fmt.Sprintf("Amount %.2f %s", k.month(v.month).total.Float(), k.billingCurrency())}), nil
}
