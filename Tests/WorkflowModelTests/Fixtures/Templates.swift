/// Templates as a controller hands them to a pod: compact, in the order and with the escapes of Go's encoder.
enum Templates {
    static let container = #"""
        {"name":"make","inputs":{"artifacts":[{"name":"seed","path":"/in/seed","mode":0,"s3":{"key":"runs/seed.tgz"}},{"name":"extra","path":"/in/extra","optional":true}]},"outputs":{"parameters":[{"name":"size","valueFrom":{"path":"/tmp/size","default":""}}],"artifacts":[{"name":"tree","path":"/out/tree","archive":{"tar":{"compressionLevel":0}},"artifactGC":{"strategy":"Never"}},{"name":"report","path":"/vol/report.txt","archive":{"none":{}},"globalName":"report"},{"name":"bare","path":"/out/bare","archive":{}}]},"metadata":{},"container":{"name":"","image":"registry.example/make:1","command":["sh","-c"],"args":["echo \u003cx\u003e \u0026\u0026 true"],"resources":{},"volumeMounts":[{"name":"work","mountPath":"/vol"}]},"sidecars":[{"name":"cache","image":"registry.example/cache:1","resources":{}}],"archiveLocation":{"archiveLogs":true,"s3":{"endpoint":"store:9000","bucket":"runs","insecure":false,"accessKeySecret":{"name":"store","key":"user"},"secretKeySecret":{"name":"store","key":"password"},"key":"wf/wf-make-1"}},"futureField":{"level":1.50}}
        """#

    static let script = #"""
        {"name":"gen","inputs":{},"outputs":{"result":"old"},"metadata":{},"script":{"name":"","image":"registry.example/py:1","command":["python"],"resources":{},"volumeMounts":[{"name":"w","mountPath":"/data/"}],"source":"print(\"\u003c1\u003e\")\n"}}
        """#

    static let containerSet = #"""
        {"name":"graph","inputs":{},"outputs":{},"metadata":{},"containerSet":{"containers":[{"name":"a","image":"i","resources":{},"volumeMounts":[{"name":"m","mountPath":"/member"}]},{"name":"main","image":"i","resources":{},"dependencies":["a"]}],"volumeMounts":[{"name":"w","mountPath":"/set"}],"retryStrategy":{"duration":"1.5s","retries":"3"}}}
        """#

    static let resource = #"""
        {"name":"apply","inputs":{"artifacts":[{"name":"m","path":"/m.yaml","raw":{"data":"kind: ConfigMap"}}]},"outputs":{"parameters":[{"name":"uid","valueFrom":{"jsonPath":"{.metadata.uid}"}}]},"metadata":{},"resource":{"action":"patch","mergeStrategy":"json","manifestFrom":{"artifact":{"name":"m"}},"successCondition":"status.phase == Ready","failureCondition":"status.phase == Broken","flags":["--cascade=false"]}}
        """#

    static let plugin = #"""
        {"name":"ext","inputs":{},"outputs":{},"metadata":{},"plugin":{"hello":{"depth":[1,2]}}}
        """#

    static let all = [container, script, containerSet, resource, plugin]
}
