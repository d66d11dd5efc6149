package audit

// Changing a tenant by plan.
const (
	RemedyPlanned  Action = "remedy.planned"  // a plan was taken over, which changes nothing
	RemedyApproved Action = "remedy.approved" // a second person said yes to a plan, or somebody took a consequence upon themselves
	RemedyApplied  Action = "remedy.applied"  // somebody wants it done, or go on, up to a stage
	RemedyStage    Action = "remedy.stage"    // a stage is begun, or passed
	RemedyStopped  Action = "remedy.stopped"  // it stopped: by somebody, a surprise, a gate, somebody else's change
	RemedyAsked    Action = "remedy.asked"    // a change is about to be asked of Microsoft
	RemedyDone     Action = "remedy.done"     // Microsoft's answer to it
	RemedyUndone   Action = "remedy.undone"   // somebody has it taken back
	RemedyEnded    Action = "remedy.ended"    // nothing is left to do
	RemedyDrifted  Action = "remedy.drifted"  // what was done is no longer so
)
