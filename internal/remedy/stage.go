package remedy

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"strings"

	"partnerguard/internal/problem"
)

// Stage is how many a staged step concerns: nobody yet, a pilot, a share, everybody.
type Stage string

// The stages that have names; between [Pilot] and [All] shares stand as "10%".
const (
	ReportOnly Stage = "report-only"
	Pilot      Stage = "pilot"
	All        Stage = "all"
)

// Share is the stage's percentage of accounts: 0 for report-only and the pilot, 100 for all.
func (s Stage) Share() int {
	if s == All {
		return 100
	}
	n, _ := strconv.Atoi(strings.TrimSuffix(string(s), "%"))
	return n
}

// ParseStage reads a stage: report-only, pilot, 1% to 99%, all.
func ParseStage(text string) (Stage, error) {
	switch s := Stage(text); s {
	case ReportOnly, Pilot, All:
		return s, nil
	}
	digits, is := strings.CutSuffix(text, "%")
	n, err := strconv.Atoi(digits)
	if !is || err != nil || n < 1 || n > 99 || strconv.Itoa(n) != digits {
		return "", problem.New(problem.BadInput, "%.40q is no stage", text).WithHint("report-only, pilot, a share such as 10%%, or all")
	}
	return Stage(text), nil
}

// InShare says whether an account is in a share of a plan. It is stable, the same
// everywhere, and whoever is in a share is in every larger one.
func InShare(plan, account string, percent int) bool {
	sum := sha256.Sum256([]byte(plan + "\x00" + strings.ToLower(account)))
	return int(binary.BigEndian.Uint32(sum[:4])%100) < percent
}
