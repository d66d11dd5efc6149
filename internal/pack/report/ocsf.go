package report

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"partnerguard/internal/assess"
	"partnerguard/internal/page"
	"partnerguard/internal/partner"
	"partnerguard/internal/print"
)

// What OCSF calls a compliance finding. Source: OCSF 1.8.0, and the profile record_integrity
// with the object attestation of 1.9.0-dev.
const (
	ocsfVersion    = "1.8.0"
	ocsfCategory   = 2
	ocsfClass      = 2003
	ocsfCreate     = 1
	ocsfProfile    = "record_integrity"
	fingerSHA256   = 3  // of the object fingerprint
	signatureOther = 99 // of the object digital_signature: Ed25519 is none of its words
)

// SignedFinding is the text whose signature a finding carries, with the SHA-256 of the
// finding's canonical form behind it in hexadecimal and a line break. The first line keeps
// it apart from everything else that the same key signs.
const SignedFinding = "partnerguard-ocsf-finding/1\n"

// verdictOCSF is how OCSF says a verdict.
var verdictOCSF = map[assess.Verdict]struct {
	id   int
	word string
}{
	assess.Met: {1, "Pass"}, assess.Unknown: {2, "Warning"}, assess.NotMet: {3, "Fail"}, assess.Attested: {99, "Attested"},
}

// ocsfJSONL writes OCSF compliance findings, one a line: each requirement that applies. Each
// carries an attestation over its canonical form (RFC 8785), that names the one before it,
// the trail and the checkpoint under which the pack stands.
func (in *Input) ocsfJSONL(w io.Writer) error {
	out := bufio.NewWriter(w)
	var before map[string]any
	n := 0
	for i := range in.Report.Requirements {
		q := &in.Report.Requirements[i]
		if q.Verdict == assess.NotApplicable {
			continue
		}
		n++
		f := in.ocsfFinding(q, n)
		finger, err := in.attest(f, before, n)
		if err != nil {
			return err
		}
		line, err := canonical(f)
		if err != nil {
			return err
		}
		if _, err := out.Write(append(line, '\n')); err != nil {
			return err
		}
		before = map[string]any{"uid": f["metadata"].(map[string]any)["uid"], "type_uid": ocsfClass*100 + ocsfCreate, "fingerprint": finger}
	}
	return out.Flush()
}

func fingerprint(sum []byte) map[string]any {
	return map[string]any{"algorithm": "SHA-256", "algorithm_id": fingerSHA256, "value": hex.EncodeToString(sum)}
}

// attest puts the attestation into a finding, and gives its fingerprint.
func (in *Input) attest(f, before map[string]any, n int) (map[string]any, error) {
	c := in.Checkpoint
	chain := fmt.Sprintf("%s/%d/%s/%s", c.Origin, c.Size, c.Root, in.Name)
	a := map[string]any{"uid": chain + "#" + strconv.Itoa(n), "chain_uid": chain}
	if in.Sign != nil {
		a["authority_uid"] = in.Sign.Key()
	}
	if before != nil {
		a["prev_event"] = before
	}
	f["attestation_list"] = []any{a}
	text, err := canonical(f)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	finger := fingerprint(sum[:])
	a["fingerprint"] = finger
	if in.Sign == nil {
		return finger, nil
	}
	sig, err := in.Sign.Sign([]byte(SignedFinding + hex.EncodeToString(sum[:]) + "\n"))
	if err != nil {
		return nil, fmt.Errorf("sign a finding: %w", err)
	}
	a["signatures"] = []any{map[string]any{
		"algorithm": "Ed25519", "algorithm_id": signatureOther, "created_time": in.Made.UnixMilli(), "developer_uid": in.Sign.Key(),
		// The object has no other place for the signature's own bytes.
		"digest": map[string]any{"algorithm": "Ed25519", "algorithm_id": signatureOther, "value": hex.EncodeToString(sig)},
	}}
	return finger, nil
}

func (in *Input) ocsfFinding(q *assess.Requirement, n int) map[string]any {
	r := in.Report
	at, v := r.AsOf.UnixMilli(), verdictOCSF[q.Verdict]
	severity, word := 3, "Medium" // of what is recommended
	switch {
	case q.Verdict == assess.Met:
		severity, word = 1, "Informational"
	case q.Level == string(partner.Mandatory) && partner.Standing(q.Binding).Binding():
		severity, word = 4, "High"
	}
	uid := in.id("finding", q.ID)
	compliance := map[string]any{
		"standards": []any{"Microsoft partner security requirements"}, "control": q.ID, "desc": oneLine(q.Title), "status_id": v.id, "status": v.word,
		"status_details": []any{oneLine(q.Reason)},
		"checks": []any{map[string]any{"uid": q.ID, "name": oneLine(q.Title), "status_id": v.id, "status": v.word, "version": r.RuleBook,
			"standards": []any{"Microsoft partner security requirements"}}},
	}
	f := map[string]any{
		"activity_id": ocsfCreate, "activity_name": "Create", "category_uid": ocsfCategory, "category_name": "Findings",
		"class_uid": ocsfClass, "class_name": "Compliance Finding", "type_uid": ocsfClass*100 + ocsfCreate, "type_name": "Compliance Finding: Create",
		"time": at, "start_time": in.From.UnixMilli(), "end_time": in.To.UnixMilli(), "severity_id": severity, "severity": word,
		"status_id": 1, "status": "New", "message": oneLine(q.Title + ": " + print.VerdictWord(q.Verdict)),
		"metadata": map[string]any{"version": ocsfVersion, "uid": uid, "sequence": n, "tenant_uid": in.Tenant, "profiles": []any{ocsfProfile},
			"logged_time": in.Made.UnixMilli(), "log_name": in.Name,
			"product": map[string]any{"name": "Partnerguard", "vendor_name": "Partnerguard", "version": in.Tool}},
		"finding_info": map[string]any{"uid": uid, "title": oneLine(q.Title), "desc": oneLine(q.Reason), "created_time": at, "types": []any{q.Level}},
		"compliance":   compliance,
		"resources":    []any{map[string]any{"uid": in.Tenant, "name": oneLine(in.subject()), "type": "Microsoft Entra tenant"}},
		"unmapped": map[string]any{"verdict": string(q.Verdict), "binding": q.Binding, "affected": q.Affected, "total": q.Total, "unit": q.Unit,
			"evidence_not_listed": q.More, "reader": string(in.Reader), "pack": in.Name},
	}
	if u := page.DocURL(q.Source); u != "" {
		f["finding_info"].(map[string]any)["src_url"] = u
	}
	if q.Action != "" {
		f["remediation"] = map[string]any{"desc": oneLine(q.Action)}
	}
	if e := in.ocsfEvidence(q); len(e) > 0 {
		f["evidences"] = e
	}
	return f
}

func (in *Input) ocsfEvidence(q *assess.Requirement) (out []any) {
	for n := range q.Evidence {
		e := &q.Evidence[n]
		data := map[string]any{"subject": e.Subject, "detail": e.Detail, "source": e.Source.String()}
		if e.RecordID != "" {
			data["record_id"] = e.RecordID
		}
		if e.Observed != nil {
			data["observed"] = oscalTime(*e.Observed)
		}
		if entry := in.where(e); entry != "" {
			data["entry"] = entry
		}
		out = append(out, map[string]any{"uid": in.id("observation", q.ID, strconv.Itoa(n)), "name": oneLine(e.Subject), "data": data})
	}
	return out
}

// CheckFinding holds a line of the findings to its fingerprint, and gives what was signed
// and the signature; sig is nil where it carries none. Kind problem.BadInput where it does
// not hold. before is the fingerprint of the line before, "" for the first; the line's own
// is given back.
func CheckFinding(line []byte, before string) (finger string, text, sig []byte, err error) {
	var f map[string]any
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if err := d.Decode(&f); err != nil {
		return "", nil, nil, unreadable(err, "a finding is no JSON")
	}
	list, _ := f["attestation_list"].([]any)
	if len(list) != 1 {
		return "", nil, nil, unreadable(nil, "a finding has no attestation, or several")
	}
	a, _ := list[0].(map[string]any)
	said, _ := a["fingerprint"].(map[string]any)
	finger, _ = said["value"].(string)
	signatures, _ := a["signatures"].([]any)
	delete(a, "fingerprint")
	delete(a, "signatures")
	prev, _ := a["prev_event"].(map[string]any)
	was, _ := prev["fingerprint"].(map[string]any)
	if got, _ := was["value"].(string); got != before {
		return "", nil, nil, unreadable(nil, "a finding does not follow the one before it")
	}
	form, err := canonical(f)
	if err != nil {
		return "", nil, nil, unreadable(err, "a finding is no JSON")
	}
	sum := sha256.Sum256(form)
	if hex.EncodeToString(sum[:]) != finger {
		return "", nil, nil, unreadable(nil, "a finding was changed: it has another SHA-256 than its fingerprint")
	}
	if len(signatures) == 0 {
		return finger, nil, nil, nil
	}
	s, _ := signatures[0].(map[string]any)
	digest, _ := s["digest"].(map[string]any)
	value, _ := digest["value"].(string)
	if sig, err = hex.DecodeString(value); err != nil {
		return "", nil, nil, unreadable(err, "a finding's signature is not hexadecimal")
	}
	return finger, []byte(SignedFinding + finger + "\n"), sig, nil
}
