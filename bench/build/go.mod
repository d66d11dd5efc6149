module partnerguard/bench/build

go 1.26.0
