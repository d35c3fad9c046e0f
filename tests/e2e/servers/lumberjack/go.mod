// Builds the reference server of the lumberjack protocol that the end-to-end tests run.
module logagent.test/servers/lumberjack

go 1.26.5

require github.com/elastic/go-lumber v0.2.0

require github.com/klauspost/compress v1.15.9 // indirect
