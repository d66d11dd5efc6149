package capture_test

import (
	"partnerguard/internal/audit"
	"partnerguard/internal/msapi"
	"partnerguard/internal/sam"
	"partnerguard/internal/sam/capture"
	audittrail "partnerguard/internal/trail"
)

// What meets the borders of this room.
var (
	_ capture.Entra  = (*msapi.Client)(nil)
	_ capture.Keeper = (*sam.Store)(nil)
	_ audit.Recorder = (*audittrail.Trail)(nil)
)
