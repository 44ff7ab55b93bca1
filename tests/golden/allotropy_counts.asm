{
 "$asm.manifest": "http://purl.allotrope.org/manifests/cell-counting",
 "cell counting aggregate document": {
  "device system document": {
   "model number": "CASY"
  },
  "cell counting document": [
   {
    "measurement aggregate document": {
     "measurement document": [
      {
       "device control aggregate document": {
        "device control document": [
         {
          "device type": "cell counter"
         },
         {
          "device type": "camera"
         }
        ]
       },
       "measurement identifier": "made anew",
       "measurement time": "2026-03-04T15:15:00+00:00",
       "processed data aggregate document": {
        "processed data document": [
         {
          "data processing document": {
           "cell density dilution factor": {
            "value": 2.0,
            "unit": "(unitless)"
           }
          },
          "viability (cell counter)": {
           "value": 92.03,
           "unit": "%"
          },
          "viable cell density (cell counter)": {
           "value": 0.69,
           "unit": "10^6 cells/mL"
          },
          "total cell density (cell counter)": {
           "value": 0.75,
           "unit": "10^6 cells/mL"
          },
          "average total cell diameter": {
           "value": 16.0,
           "unit": "µm",
           "has statistic datum role": "mean"
          },
          "custom information document": {
           "Average cells per image": 20.0
          }
         }
        ]
       },
       "sample document": {
        "sample identifier": "BM-01 P2"
       }
      }
     ]
    },
    "analyst": "agnes"
   },
   {
    "measurement aggregate document": {
     "measurement document": [
      {
       "device control aggregate document": {
        "device control document": [
         {
          "device type": "cell counter"
         },
         {
          "device type": "camera"
         }
        ]
       },
       "measurement identifier": "made anew",
       "measurement time": "1970-01-01T00:00:00+00:00",
       "processed data aggregate document": {
        "processed data document": [
         {
          "data processing document": {
           "cell density dilution factor": {
            "value": 2.0,
            "unit": "(unitless)"
           }
          },
          "viability (cell counter)": {
           "value": 92.03,
           "unit": "%"
          },
          "viable cell density (cell counter)": {
           "value": 0.69,
           "unit": "10^6 cells/mL"
          },
          "total cell density (cell counter)": {
           "value": 0.75,
           "unit": "10^6 cells/mL"
          },
          "average total cell diameter": {
           "value": 16.0,
           "unit": "µm",
           "has statistic datum role": "mean"
          },
          "custom information document": {
           "Average cells per image": 20.0
          }
         }
        ]
       },
       "sample document": {
        "sample identifier": "BM-01 P2"
       }
      }
     ]
    },
    "analyst": "agnes"
   }
  ]
 }
}
